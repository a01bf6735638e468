"""Models the user brings: which there are, which are here, and how they come in.

:mod:`.catalogue` lists them, :mod:`.shelf` keeps them in the user's model folder, :mod:`.fetch`
downloads them.  Nothing here needs torch until a file of network weights is added or checked.
"""
