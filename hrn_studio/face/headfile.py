"""Read the file of the default head, ``resources/head.npz``.

``packaging/build_head.py`` bakes it; :func:`hrn_studio.face.model.load_head` makes a head of it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio import paths
from hrn_studio.errors import ModelDataError
from hrn_studio.face.arrays import opened

VERSION = 1
REMEDY = "install HRN Studio again, or bake it anew with 'python packaging/build_head.py'"


def read(path: Path | None = None) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and facts of the head in ``path``, by default the one that comes with the program.

    Raises
    ------
    ModelDataError
        The file is missing, damaged, or of another version.
    """
    path = paths.resources() / "head.npz" if path is None else Path(path)
    with opened(path, "the head model", REMEDY) as arrays:
        meta = json.loads(arrays["meta"].tobytes())
        version = meta["version"]
        good = meta["checksum"] == checksum(arrays)
    if version != VERSION:
        raise ModelDataError(
            f"the head model '{path}' has version {version}, this program needs {VERSION}; {REMEDY}"
        )
    if not good:
        raise ModelDataError(f"the head model '{path}' is damaged (checksum); {REMEDY}")
    return arrays, meta


def checksum(arrays: dict[str, NDArray[Any]]) -> str:
    """SHA-256 over names and bytes of all arrays but ``meta``, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        if name != "meta":
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
