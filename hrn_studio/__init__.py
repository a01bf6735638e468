"""HRN Studio: from a camera or photographs to a detailed, textured, animatable head.

The nouns are in :mod:`hrn_studio.records`; which module may import which is in ``pyproject.toml``.
"""

import os

__version__ = "0.1.0"

# GNU OpenMP's idle threads spin by default, and a fit next to a busy core becomes ten times slower.
# It reads this once, when torch or numpy loads it, so it must be said before.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# The matrices here are small: threads cost BLAS more than the work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
