"""OpenCV, imported in one place.

Importing ``cv2`` points Qt at OpenCV's own plug-ins through the environment, which the window's
Qt must not see; so they are taken out again.  Other modules write ``from hrn_studio.live._cv
import cv2``.  Never call ``cv2.imshow``.

OpenCV's warnings and FFmpeg's complaints about a bad video stay off the user's terminal, where the
error's own sentence says what is wrong; set ``OPENCV_LOG_LEVEL`` and ``OPENCV_FFMPEG_LOGLEVEL`` to
see them.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET

import cv2

for _name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
    if "cv2" in os.environ.get(_name, ""):
        del os.environ[_name]

__all__ = ["cv2"]
