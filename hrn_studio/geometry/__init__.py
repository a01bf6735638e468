"""Pure geometry on arrays: transforms, meshes, UV squares, rasterising.

May import :mod:`hrn_studio.records` and numpy, scipy, numba; knows nothing of faces or pictures.
"""
