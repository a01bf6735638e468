"""The user's copies of the head variant's files, checked on the way in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hrn_studio.detail.hrn import checkpoint, headfiles, headmodel, store
from hrn_studio.detail.hrn.alignment import load_standard
from hrn_studio.detail.hrn.bfm import MAT_KEYS, face_model, load_face_model, read_mat

_PICTURES = {
    "bald": headfiles.BALD,
    "hair": headfiles.HAIRY,
    "face_mask": headfiles.FACE_MASK,
    "cheeks": headfiles.CHEEKS,
}


def _model(path: Path) -> object:
    return face_model(read_mat(path, MAT_KEYS, headmodel.REMEDY), path.name)


_CHECKS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "face": (headmodel.FACE, load_face_model),
    "fitted": (headmodel.FITTED, _model),
    "result": (headmodel.RESULT, _model),
    "template": (headmodel.TEMPLATE, headmodel.read_vertices),
    "kept": (headmodel.KEPT, headmodel.read_kept),
    "standard": (store.STANDARD, load_standard),
    **{kind: (name, headmodel.read_vertices) for kind, name in headmodel.PARTS.items()},
    **{kind: (name, headfiles.read_picture) for kind, name in _PICTURES.items()},
}


def take(kind: str, source: Path, folder: Path, *, link: bool = False) -> tuple[str, ...]:
    """Check one of the user's files and put what is needed of it into a folder.

    Parameters
    ----------
    kind
        ``checkpoint``, or another of the catalogue's kinds of the family ``hrn-head``.
    folder
        A temporary one: a failure leaves it in any state.
    link
        Make a hard link instead of a copy where the file is kept as it is.

    Returns
    -------
    Names of the files written.

    Raises
    ------
    ModelDataError
        The file is not what it should be; the message says in what.
    """
    if kind == "checkpoint":
        content = checkpoint.read_pickle(source)
        tensors = checkpoint.tensors_under(content, "net_recon", source.name)
        store.keep(store.REGRESSION, tensors, source, folder)
        return (store.REGRESSION,)
    name, check = _CHECKS[kind]
    check(source)
    store.copy(source, folder / name, link)
    return (name,)


def verify(path: Path) -> None:
    """Check one file of the folder as strictly as when it came in.

    Raises
    ------
    ModelDataError
        It is missing or damaged.
    """
    if path.name == store.REGRESSION:
        store.load_regression(path.parent)
    for name, check in _CHECKS.values():
        if name == path.name:
            check(path)
