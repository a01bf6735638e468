"""OpenCV, imported in one place.

Importing ``cv2`` points Qt at OpenCV's own plug-ins through the environment, which the window's
Qt must not see; so they are taken out again.  Other modules write ``from hrn_studio.live._cv
import cv2``.  Never call ``cv2.imshow``.
"""

from __future__ import annotations

import os

import cv2

for _name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
    if "cv2" in os.environ.get(_name, ""):
        del os.environ[_name]

__all__ = ["cv2"]
