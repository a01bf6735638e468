"""A job ends in exactly one way, on its own thread, and leaves nothing behind."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QObject

from hrn_studio.errors import FitError
from hrn_studio.ui.jobs import Job, LatestSlot


class Ends(QObject):
    def __init__(self, job):
        super().__init__()
        self.seen, self.threads = [], set()
        job.progressed.connect(self._on_progressed)
        job.returned.connect(self._on_returned)
        job.failed.connect(self._on_failed)
        job.cancelled.connect(self._on_cancelled)

    def _note(self, item):
        self.seen.append(item)
        self.threads.add(threading.current_thread())

    def _on_progressed(self, item):
        self._note(item)

    def _on_returned(self, value):
        self._note(("returned", value))

    def _on_failed(self, error):
        self._note(("failed", error))

    def _on_cancelled(self):
        self._note(("cancelled", None))


def run(qtbot, task):
    job = Job(task)
    ends = Ends(job)
    job.start()
    qtbot.waitUntil(lambda: bool(ends.seen) and isinstance(ends.seen[-1], tuple))
    assert job.wait()
    assert ends.threads == {threading.main_thread()}
    return ends.seen


def test_the_result_comes_last(qtbot):
    def task():
        yield 1
        yield 2
        return 3

    seen = run(qtbot, task())
    assert seen[-1] == ("returned", 3)
    assert seen[-2] == 2


@pytest.mark.parametrize("error", [FitError("no face; look up"), ZeroDivisionError()])
def test_a_failure_is_told(qtbot, error):
    def task():
        yield 1
        raise error

    assert run(qtbot, task())[-1] == ("failed", error)


def test_cancelling_closes_the_generator_on_its_thread(qtbot):
    closed, go = [], threading.Event()

    def task():
        try:
            while True:
                yield 1
                go.wait(5)
        finally:
            closed.append(threading.current_thread())

    job = Job(task())
    ends = Ends(job)
    job.start()
    qtbot.waitUntil(lambda: bool(ends.seen))
    job.cancel()
    go.set()
    qtbot.waitUntil(lambda: ends.seen[-1] == ("cancelled", None))
    assert job.wait()
    assert closed[0] is not threading.main_thread()


def test_the_slot_keeps_the_newest():
    slot = LatestSlot()
    assert [slot.put(i) for i in range(3)] == [True, False, False]
    assert slot.take() == 2
    assert slot.take() is None
    assert slot.put(3)


def test_a_busy_window_misses_no_stage_of_a_fit(qtbot, parts, doubles, tmp_path):
    from PIL import Image

    from hrn_studio.ui.fits import STAGES, Fits
    from hrn_studio.ui.parts import FitChoice

    file = tmp_path / "front-01.png"
    Image.fromarray(doubles.picture()).save(file)
    fits = Fits(parts)
    fits.add("Front 01", ("front-01",), (file,), FitChoice())
    assert fits._job.wait(30)  # no event is looked at meanwhile
    qtbot.waitUntil(lambda: fits.all[0].state == "done")
    assert all(fits.all[0].stage_seconds(key) is not None for key, _ in STAGES)
    assert fits.mesh is not None
    fits.close()
