"""The one place that writes results to disk, so that nothing is ever left half-written.

What is guaranteed
------------------
* Every file is written completely into a hidden folder beside its final place, and flushed to the
  disk, before anything that is already there is touched.
* A folder that does not exist yet appears at once, complete, by one rename.
* In a folder that exists, each file replaces the one of its name by one rename, in the order
  given (so the manifest, which lists the others with their SHA-256, comes last).  Other files stay
  as they are: several heads can share a folder.  When a rename fails, or the program is asked to
  stop, those already done are undone.
* After an error or an interruption the hidden folder is removed and the target holds what it held
  before.  Only a power cut or a killed process between two renames can leave whole files of two
  results side by side; the manifest's checksums then tell, and ``.….partial-…`` may be deleted.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from hrn_studio.errors import ExportError

_CHUNK = 1 << 22
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_folder(
    target: str | Path, files: Mapping[str, bytes] | Iterable[tuple[str, bytes]]
) -> Path:
    """Write ``files`` (plain name, content) into the folder ``target``: all of them or none.

    Parameters
    ----------
    target
        Made, with its parents, when it is missing.
    files
        May be lazy: each content is written before the next is asked for.

    Returns
    -------
    Path
        ``target``, absolute.

    Raises
    ------
    ExportError
        The folder cannot be made or written, or the disk is full; says what to do.
    """
    for _ in writing_folder(target, files):
        pass
    return Path(target).expanduser().absolute()


def writing_folder(
    target: str | Path, files: Mapping[str, bytes] | Iterable[tuple[str, bytes]]
) -> Generator[str, None, Path]:
    """Like :func:`write_folder`, but yields each name once its content is safely on the disk.

    To cancel is to close the generator: nothing has been put in place yet.
    """
    folder = Path(target).expanduser().absolute()
    items = files.items() if isinstance(files, Mapping) else files
    partial: Path | None = None
    try:
        partial = _partial_folder(folder)
        names: list[str] = []
        for name, content in items:
            _check_plain(name)
            _write(partial / name, content)
            names.append(name)
            yield name
        if partial.parent == folder:
            _replace_all(folder, partial, list(dict.fromkeys(names)))
        else:
            _sync(partial)
            partial.chmod(0o777 & ~_umask())
            partial.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        raise _explained(error, folder) from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def check_folder(target: str | Path) -> None:
    """Raise ``ExportError`` now if ``target`` cannot be written, before hours of work; leaves no
    trace."""
    folder = Path(target).expanduser().absolute()
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        partial = _partial_folder(folder)
        _write(partial / "check", b"\0")
        shutil.rmtree(partial)
    except OSError as error:
        raise _explained(error, folder) from error
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()


def _partial_folder(folder: Path) -> Path:
    """A new hidden folder on the disk of ``folder``: in it when it exists, else beside it."""
    if folder.is_dir():
        return Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    if folder.exists() or folder.is_symlink():
        raise FileExistsError(errno.EEXIST, "a file of that name is in the way", str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))


def _write(path: Path, content: bytes) -> None:
    view = memoryview(content)
    with path.open("wb") as file:
        for start in range(0, len(view), _CHUNK):
            file.write(view[start : start + _CHUNK])
        file.flush()
        os.fsync(file.fileno())


def _replace_all(folder: Path, partial: Path, names: list[str]) -> None:
    """Move ``names`` from ``partial`` into ``folder``; on any trouble put everything back."""
    old = partial / "previous"
    old.mkdir()
    done: list[str] = []
    try:
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, "a folder is in the way", str(folder / name))
            if (folder / name).exists():
                _keep(folder / name, old / name)
            done.append(name)
            (partial / name).replace(folder / name)
    except BaseException:
        for name in reversed(done):
            if (old / name).exists():
                (old / name).replace(folder / name)
            elif not (partial / name).exists():
                (folder / name).unlink(missing_ok=True)
        raise
    _sync(folder)


def _keep(path: Path, copy: Path) -> None:
    """A second name for the same content where the disk can do that, else a copy."""
    try:
        copy.hardlink_to(path)
    except OSError:
        shutil.copy2(path, copy)


def _sync(folder: Path) -> None:
    """Flush a folder's list of names; not every system can."""
    if os.name == "nt":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _check_plain(name: str) -> None:
    if not name or name != Path(name).name or name in (".", "..", "previous"):
        raise ValueError(f"not a plain file name: {name!r}")


def _explained(error: OSError, folder: Path) -> ExportError:
    code = error.errno
    if code in _FULL:
        return ExportError(
            f"the disk is full, nothing was written to '{folder}'; "
            "free some space or choose a folder on another disk"
        )
    if code in _REFUSED:
        return ExportError(
            f"'{folder}' cannot be written: no permission; choose a folder you may write to"
        )
    if code in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        inside = error.filename or folder
        return ExportError(
            f"'{folder}' cannot be written: '{inside}' is in the way; choose another folder"
        )
    if code == errno.ENAMETOOLONG:
        return ExportError(f"'{folder}' cannot be written: its name is too long; shorten it")
    reason = error.strerror or str(error)
    return ExportError(
        f"'{folder}' cannot be written ({reason[:1].lower() + reason[1:]}); choose another folder"
    )
