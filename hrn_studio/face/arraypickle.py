"""Arrays out of pickles and ``.npz`` files, running nothing that is stored in them.

A pickle is a program that may call any function it names.  This reader lets it name only what
builds numpy arrays, scipy's sparse matrices and chumpy's wrappers around arrays (which are
replaced by empty shells: chumpy itself is not needed); anything else is refused by name.
"""

from __future__ import annotations

import codecs
import collections
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from hrn_studio.errors import ModelDataError


class _Shell:
    """What is left of an object of a foreign class: its attributes."""

    state: dict[str, Any]

    def __new__(cls, *args: Any) -> Self:
        shell = super().__new__(cls)
        shell.state = {}
        return shell

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.state.update(part)


class _Wrapped(_Shell):
    """chumpy.Ch: the array is its attribute ``x``."""


class _Sparse(_Shell):
    """scipy's compressed sparse column matrix."""


def _reconstructed(kind: type, base: type, state: Any) -> Any:
    """What ``copyreg._reconstructor`` does, for shells alone."""
    if not (isinstance(kind, type) and issubclass(kind, _Shell)):
        raise pickle.UnpicklingError(f"copyreg._reconstructor of {kind}")
    return kind()


def _array_builder() -> Callable[..., Any]:
    builder: Callable[..., Any] = np.zeros(0).__reduce__()[0]  # type: ignore[assignment]
    return builder


def _scalar_builder() -> Callable[..., Any]:
    builder: Callable[..., Any] = np.float64(0).__reduce__()[0]  # type: ignore[assignment]
    return builder


def _allowed() -> dict[tuple[str, str], Any]:
    result: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("_codecs", "encode"): codecs.encode,
        ("chumpy.ch", "Ch"): _Wrapped,
    }
    for core in ("numpy.core", "numpy._core"):
        result[f"{core}.multiarray", "_reconstruct"] = _array_builder()
        result[f"{core}.multiarray", "scalar"] = _scalar_builder()
    for module in ("scipy.sparse.csc", "scipy.sparse._csc"):
        result[module, "csc_matrix"] = _Sparse
    for module in ("copy_reg", "copyreg"):
        result[module, "_reconstructor"] = _reconstructed
    for module in ("__builtin__", "builtins"):
        result[module, "object"] = object
    return result


class _Reader(pickle.Unpickler):
    def __init__(self, stream: Any) -> None:
        super().__init__(stream, encoding="latin1")
        self._known = _allowed()

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._known[module, name]
        except KeyError:
            raise _ForeignClassError(f"{module}.{name}") from None


class _ForeignClassError(Exception):
    """A pickle names something that is not data."""


def read_arrays(path: Path, again: str) -> dict[str, Any]:
    """Arrays by name from a ``.npz`` file or from a pickled dictionary.

    Parameters
    ----------
    again
        What to do about a bad file, for the message.

    Raises
    ------
    ModelDataError
        The file is missing or damaged, or names a class that is not data.
    """
    if not path.is_file():
        raise ModelDataError(f"'{path}' is missing; {again}")
    try:
        if zipfile.is_zipfile(path):
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        with path.open("rb") as file:
            content = _Reader(file).load()
    except _ForeignClassError as error:
        raise ModelDataError(
            f"'{path.name}' is refused because it contains '{error}', which is not plain data and "
            f"could run code; {again}"
        ) from error
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelDataError(f"'{path.name}' is damaged; {again}") from error
    except (pickle.UnpicklingError, AttributeError, IndexError, TypeError, ImportError) as error:
        raise ModelDataError(f"'{path.name}' is damaged or no file of arrays; {again}") from error
    if not isinstance(content, dict):
        kind = type(content).__name__
        raise ModelDataError(f"'{path.name}' holds a {kind} and no arrays by name; {again}")
    return {str(name): _plain(value) for name, value in content.items()}


def _plain(value: Any) -> Any:
    """The array in a shell; other values as they are."""
    if isinstance(value, _Wrapped):
        return _plain(value.state.get("x"))
    if isinstance(value, _Sparse):
        return _dense(value.state)
    return value


def _dense(state: dict[str, Any]) -> Any:
    from scipy import sparse

    try:
        shape = state.get("_shape", state.get("shape"))
        parts = (state["data"], state["indices"], state["indptr"])
        return sparse.csc_matrix(parts, shape=shape).toarray()
    except (KeyError, ValueError, TypeError):
        return None
