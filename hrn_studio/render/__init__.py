"""Pictures of heads.

Owns :mod:`.scene` (what to draw: plain frozen data), :mod:`.renderer` (OpenGL, through moderngl;
the context is passed in), :mod:`.context` (a context without a window) and :mod:`.software` (the
same pictures, plainer and slower, where there is no OpenGL).  It may import ``face``,
``geometry``, ``records`` and ``errors``; moderngl is used here and nowhere else.
"""
