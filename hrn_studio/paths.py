"""Where things are: the program's own data, and the user's folders.

The only module that knows folders.  Nothing is created here; whoever writes makes the folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

APP = "hrn-studio"


def resources() -> Path:
    """The folder with the head model, landmark embedding, shaders, demo and licences.

    In a source checkout it is ``resources/`` beside the package, in an installed wheel
    ``hrn_studio/_resources``, in a frozen build ``resources`` in the bundle.
    """
    package = Path(__file__).resolve().parent
    installed = package / "_resources"
    if installed.is_dir():
        return installed
    bundle = getattr(sys, "_MEIPASS", None)
    return (Path(bundle) if bundle is not None else package.parent) / "resources"


def cache_dir() -> Path:
    """Files that may be thrown away at any time; ``HRN_STUDIO_CACHE`` overrides it."""
    return _user_folder("HRN_STUDIO_CACHE", "XDG_CACHE_HOME", ".cache", "Library/Caches", "Cache")


def user_data_dir() -> Path:
    """Settings, and models the user added; ``HRN_STUDIO_DATA`` overrides it."""
    return _user_folder(
        "HRN_STUDIO_DATA", "XDG_DATA_HOME", ".local/share", "Library/Application Support", ""
    )


def user_models_dir() -> Path:
    """Where the user puts models that cannot be shipped, such as HRN's weights."""
    return user_data_dir() / "models"


def sessions_dir() -> Path:
    """Where sessions with captured frames are kept, unless the user says otherwise."""
    return user_data_dir() / "sessions"


def exports_dir() -> Path:
    """Where the window exports to, unless the user says otherwise."""
    return user_data_dir() / "exports"


def settings_file() -> Path:
    """The settings, a JSON file."""
    return user_data_dir() / "settings.json"


def _user_folder(own: str, xdg: str, linux: str, mac: str, windows: str) -> Path:
    if os.environ.get(own):
        return Path(os.environ[own]).expanduser().absolute()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        local = Path(base) if base else Path.home() / "AppData" / "Local"
        return local / APP / windows if windows else local / APP
    if sys.platform == "darwin":
        return Path.home() / mac / APP
    base = os.environ.get(xdg)
    return (Path(base) if base else Path.home() / linux) / APP
