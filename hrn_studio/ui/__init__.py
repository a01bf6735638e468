"""The window.

Owns everything with Qt in it: :mod:`.studio` (the session and its jobs), :mod:`.window` with its
panels, :mod:`.viewport` (OpenGL), the painted :mod:`.widgets`, and how it all looks
(:mod:`.theme`, from ``resources/ui/tokens.json``).  Nothing below knows this package.  PyTorch is
not loaded before a fit starts.
"""
