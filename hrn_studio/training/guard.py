"""What a machine runs out of while a network is trained, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrn_studio.errors import FitError, StudioError

_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")
_DEVICE = ("cuda", "cudnn", "cublas", "nccl", "device-side", "accelerator", "gpu")


@contextmanager
def guarded(checkpoint: Path) -> Iterator[None]:
    """Say what happened when memory, the disk or the graphics processor gives out.

    Raises
    ------
    FitError
        Instead of ``MemoryError``, ``OSError`` and PyTorch's ``RuntimeError``; the checkpoint is
        not touched.
    """
    try:
        yield
    except StudioError:
        raise
    except (MemoryError, OSError, RuntimeError) as error:
        said = explained(error, checkpoint)
        if said is None:
            raise
        raise said from error


def explained(error: BaseException, checkpoint: Path) -> FitError | None:
    """The sentence for an error of the machine; None for a bug of the program."""
    text = str(error).lower()
    kept = (
        f"the checkpoint '{checkpoint}' is kept, and the same command goes on from it"
        if checkpoint.is_file()
        else "nothing was written"
    )
    if isinstance(error, MemoryError) or any(words in text for words in _MEMORY):
        return FitError(f"there is too little memory for this; give a smaller --batch ({kept})")
    if isinstance(error, OSError):
        name = f"'{error.filename}'" if error.filename else "a file"
        return FitError(
            f"{name} cannot be read or written ({error.strerror or error}); see that the disk has "
            f"room and the folder can be written to ({kept})"
        )
    if any(words in text for words in _DEVICE):
        first = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        return FitError(
            f"the graphics processor stopped working ({first}); start the program again, with "
            f"--device cpu if it does not come back ({kept})"
        )
    return None
