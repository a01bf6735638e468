"""HRN as its authors published it, for users who downloaded its files.

The hierarchical representation network (Lei et al., "A Hierarchical Representation Network for
Accurate and Detailed Face Reconstruction from In-The-Wild Images", CVPR 2023; "the paper" in this
package), written anew from what is known of its files and formulae.  None of its weights come
with the program: their licences are the user's to accept.

Convention of this package alone, left at its borders by :mod:`.engine` and :mod:`.outputs`
--------------------------------------------------------------------------------------------
* Lengths are **decimetres** of an average head.  World: +X right in the picture (the subject's
  left), +Y up, +Z towards the viewer.  A camera 10 dm away looks along -Z with a focal length of
  1015 px for a crop of 224 px; *camera space* keeps x and y and has ``z = 10 - z_world``.
* Pictures are (B, 3, H, W) RGB 0..1, row 0 at the top; pixel positions are (x, y) with **y up**
  from the bottom row, unless a name says otherwise.
* UV maps are 256 x 256 with row 0 at v = 1.

Order of reading: :mod:`.checkpoint`, the networks (:mod:`.resnet`, :mod:`.generator`,
:mod:`.retouch`, :mod:`.landmarks`, :mod:`.detector`), :mod:`.bfm`, :mod:`.camera`,
:mod:`.texels`, :mod:`.hierarchy`, :mod:`.single`; then what was made of it: :mod:`.fitted`,
:mod:`.multiview`, :mod:`.fusion`, :mod:`.headfit`, :mod:`.engine`, :mod:`.maps`.
"""
