"""A long task in a process of its own.

A fit wants PyTorch, a gigabyte and all of the interpreter's time.  In a process of its own it
cannot hold up the window, its memory goes back to the system with it, to cancel it is to end it,
and when it is ended by the system for want of memory the window stays.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias

from hrn_studio.errors import FitError, StudioError

Task: TypeAlias = Callable[..., Generator[Any, None, Any]]
_POLL_S = 0.05
_PIECE = 1 << 20
_NICER = 5
_KILLED = -9
"""Exit code of a process that the system ended; POSIX only."""
_BELOW_NORMAL = 0x4000
"""Of Windows' priority classes."""


class Apart:
    """Runs tasks one after the other in one process, which starts with the first.

    One thread at a time may call :meth:`run`; :meth:`end` and :meth:`close` may be called by
    another when none runs.
    """

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._line: Connection | None = None
        self._ending: list[BaseProcess] = []

    @property
    def process(self) -> int | None:
        """Number of the process that waits or works."""
        return self._process.pid if self._process is not None else None

    def run(self, task: Task, *given: Any) -> Generator[Any, None, Any]:
        """What ``task(*given)`` yields and returns; None when nothing new came for a moment.

        To close this generator is to end the process.

        Parameters
        ----------
        task
            A function of a module, so that the process can find it; it, what it is given and what
            it gives must be such as can be pickled.

        Raises
        ------
        StudioError
            What the task raised.
        FitError
            The process is gone.
        RuntimeError
            The task made a mistake; the note on it is where.
        """
        line = self._ready()
        ended = False
        try:
            line.send((task, given))
            while True:
                if not line.poll(_POLL_S):
                    yield None
                    continue
                kind, value = line.recv()
                if kind == "item":
                    yield value
                    continue
                if kind == "returns":
                    value = yield from _collected(line, value)
                ended = True
                if kind == "raised":
                    raise value
                return value
        except (EOFError, ConnectionError) as error:
            raise self._gone() from error
        finally:
            if not ended:
                self._kill()

    def end(self) -> None:
        """Let the process go; it ends by itself, and its memory with it.  Returns at once."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._ending.append(self._process)
        self._line = self._process = None
        self._ending = [p for p in self._ending if p.is_alive()]

    def close(self) -> None:
        """Nothing is left when this returns."""
        self.end()
        for process in self._ending:
            process.kill()
            process.join()
        self._ending.clear()

    def _ready(self) -> Connection:
        if self._process is not None and not self._process.is_alive():
            self.end()
        if self._line is None:
            context = get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), name="fit", daemon=True)
            with _no_main():
                process.start()
            theirs.close()
            self._process, self._line = process, ours
        return self._line

    def _gone(self) -> FitError:
        code: int | None = None
        if self._process is not None:
            self._process.join(1.0)
            code = self._process.exitcode
        if code == _KILLED:
            return FitError(
                "the system ended the fit, most likely for want of memory; close other programs, "
                "or fit fewer frames with smaller textures"
            )
        return FitError(
            f"the fit broke off (code {code}); try again, and if it happens again copy the log"
        )

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(1.0)
        self.end()


def _collected(line: Connection, size: int) -> Generator[None, None, Any]:
    """What :func:`_send` sends, of ``size`` bytes."""
    data = bytearray()
    while len(data) < size:
        if line.poll(_POLL_S):
            data += line.recv_bytes()
        yield None
    return pickle.loads(data)


@contextmanager
def _no_main() -> Iterator[None]:
    """Keep a new process from importing the program that was started, as it would by default.

    It needs nothing of it, and somebody's script without ``if __name__ == "__main__"`` would open
    a second window there.
    """
    main = sys.modules["__main__"]
    kept = {name: getattr(main, name) for name in ("__spec__", "__file__") if hasattr(main, name)}
    for name in kept:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(main, name, value)


# --- in the process ---


def _serve(line: Connection) -> None:
    """Do one task after the other until the window closes the line or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the window has it, too, and ends this
    threading.Thread(target=_watch, name="watch", daemon=True).start()
    _step_back()
    while True:
        try:
            task, given = line.recv()
            kind, value = _done(task, given, line)
            if kind == "raised":
                line.send((kind, value))
            else:
                _send(line, value)
        except (EOFError, OSError):
            os._exit(0)  # native threads may still run, and nothing is to be saved


def _send(line: Connection, value: Any) -> None:
    """A head has a hundred megabytes: piece by piece, so that the window may stop listening."""
    data = memoryview(pickle.dumps(value, 5))
    line.send(("returns", len(data)))
    for start in range(0, len(data), _PIECE):
        line.send_bytes(data[start : start + _PIECE])


def _done(task: Task, given: tuple[Any, ...], line: Connection) -> tuple[str, Any]:
    work = task(*given)
    try:
        while True:
            line.send(("item", next(work)))
    except StopIteration as end:
        return "returned", end.value
    except ConnectionError:
        raise
    except StudioError as error:
        return "raised", _portable(error)
    except Exception as error:  # noqa: BLE001 - a bug must reach the window's log
        told = RuntimeError(repr(error))
        told.add_note(traceback.format_exc())
        return "raised", told


def _portable(error: StudioError) -> StudioError:
    """The same without what hangs on it: a traceback cannot be sent."""
    made = type(error).__new__(type(error), error.message)
    StudioError.__init__(made, error.message)
    return made


def _watch() -> None:
    """End when the window is gone, whatever this process is doing."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _step_back() -> None:
    """The live view goes first, and one core is left to it."""
    # Read when PyTorch is loaded, so it must be said before.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) - 1)))
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICER)
