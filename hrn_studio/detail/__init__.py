"""From a coarse head to one that answers every pixel.

Owns the rasteriser's torch side (:mod:`.rasterizer`), light on skin (:mod:`.shading`) and the fit
with its losses, maps and textures.  It may import ``face``, ``geometry``, ``records`` and
``errors``.  Torch is used here (and in ``training``) and nowhere else, so nothing imports this
package at module level: it is loaded when a fit starts.
"""
