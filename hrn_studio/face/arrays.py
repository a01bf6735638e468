"""Files of arrays (``.npz``) that come with the program: one way to open and to refuse them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hrn_studio.errors import ModelDataError

Arrays: TypeAlias = dict[str, NDArray[Any]]

_DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, IndexError),
    *(zipfile.BadZipFile, zlib.error),
)


@contextmanager
def opened(path: Path, what: str, remedy: str) -> Iterator[Arrays]:
    """The arrays in a file by name; a block that stumbles over them means a damaged file.

    >>> with opened(path, "the head model", "install it again") as arrays:  # doctest: +SKIP
    ...     mean = arrays["mean"]

    Parameters
    ----------
    what
        What the file is, for the message.
    remedy
        What to do about a bad file.

    Raises
    ------
    ModelDataError
        The file is missing or damaged, or lacks what the block takes from it.
    """
    if not path.is_file():
        raise ModelDataError(f"{what} '{path}' is missing; {remedy}")
    try:
        # numpy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        yield arrays
    except _DAMAGE as error:
        raise ModelDataError(f"{what} '{path}' is damaged; {remedy}") from error
