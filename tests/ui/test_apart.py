"""A task in a process of its own: what it yields, returns and raises comes over."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hrn_studio.errors import FaceCutError, FitError
from hrn_studio.ui.apart import Apart

TASKS = """
import os
import time

from hrn_studio.errors import FaceCutError


def counting(to):
    for number in range(to):
        yield number, os.getpid()
    return "done"


def failing():
    yield 1
    raise FaceCutError("the face is cut; step back")


def mistaken():
    yield 1
    return 1 / 0


def large():
    yield 1
    return bytes(range(250)) * 20000


def long():
    yield os.getpid()
    while True:
        time.sleep(0.01)
"""


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """Functions of a module that a new process finds, too."""
    (tmp_path / "tasks_apart.py").write_text(TASKS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("tasks_apart")
    del sys.modules["tasks_apart"]


@pytest.fixture
def apart():
    made = Apart()
    yield made
    made.close()


def told(task):
    """What a task yields that is something, and what it returns."""
    items = []
    while True:
        try:
            item = next(task)
        except StopIteration as end:
            return items, end.value
        if item is not None:
            items.append(item)


def first(task):
    return next(item for item in task if item is not None)


def gone(pid):
    """Whether a process has ended; a zombie has."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
        return told.rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_items_and_result_come_over(apart, tasks):
    items, result = told(apart.run(tasks.counting, 3))
    assert [number for number, _ in items] == [0, 1, 2]
    assert result == "done"
    assert {pid for _, pid in items} == {apart.process}
    assert apart.process != os.getpid()


def test_the_process_waits_for_the_next_task(apart, tasks):
    told(apart.run(tasks.counting, 1))
    before = apart.process
    told(apart.run(tasks.counting, 1))
    assert apart.process == before
    apart.end()
    assert apart.process is None
    told(apart.run(tasks.counting, 1))
    assert apart.process != before


def test_a_problem_keeps_its_kind_and_words(apart, tasks):
    with pytest.raises(FaceCutError, match="the face is cut; step back"):
        told(apart.run(tasks.failing))
    assert told(apart.run(tasks.counting, 1))[1] == "done"


def test_a_mistake_says_where(apart, tasks):
    with pytest.raises(RuntimeError, match="ZeroDivisionError") as caught:
        told(apart.run(tasks.mistaken))
    assert "tasks_apart.py" in caught.value.__notes__[0]


def test_a_large_result_comes_whole(apart, tasks):
    assert told(apart.run(tasks.large))[1] == bytes(range(250)) * 20000


def test_to_close_it_while_the_result_comes_ends_it(apart, tasks):
    task = apart.run(tasks.large)
    first(task)
    next(task)
    task.close()
    assert apart.process is None


def test_to_close_it_ends_the_process(apart, tasks):
    task = apart.run(tasks.long)
    first(task)
    process = apart._process
    task.close()
    assert apart.process is None
    assert not process.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(
    ("how", "said"), [("SIGKILL", "close other programs"), ("SIGTERM", "broke off.*try again")]
)
def test_a_process_that_dies_is_a_failed_fit(apart, tasks, how, said):
    task = apart.run(tasks.long)
    os.kill(first(task), getattr(signal, how))
    with pytest.raises(FitError, match=said):
        told(task)
    assert told(apart.run(tasks.counting, 1))[1] == "done"


LIGHT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from hrn_studio.live.images import read_image
from hrn_studio.ui.parts import FitChoice, RealParts
if __name__ == "__main__":
    parts = RealParts()
    frame = read_image(Path(sys.argv[2]), 0)
    fitting = parts.fit([frame], FitChoice(stage="coarse", texture_px=256))
    stages = set()
    while True:
        try:
            step = next(fitting)
        except StopIteration as end:
            head = end.value
            break
        stages |= {step.stage} if step is not None else set()
    parts.close()
    print(len(head.neutral), sorted(stages), "torch" in sys.modules)
"""


def test_a_real_fit_leaves_this_process_without_torch(root, stills, tmp_path):
    script = tmp_path / "light.py"
    script.write_text(LIGHT)
    call = [sys.executable, str(script), str(root), str(stills[0])]
    told = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True).stdout
    count, stages, heavy = (
        told.split()[0],
        told[told.index("[") : told.index("]")],
        told.split()[-1],
    )
    assert int(count) > 1000
    assert "coarse" in stages
    assert "texture" in stages
    assert heavy == "False"


OWNER = """
import sys
sys.path[:0] = sys.argv[1:3]
import tasks_apart
from hrn_studio.ui.apart import Apart
for item in Apart().run(tasks_apart.long):  # without a guard for the process to import it
    if item is not None:
        print(item, flush=True)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_it_ends_with_a_window_that_was_killed(tasks, tmp_path, root):
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    call = [sys.executable, str(script), str(root), str(tmp_path)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as owner:
        pid = int(owner.stdout.readline())
        assert not gone(pid)
        owner.kill()
    ended = threading.Event()
    for _ in range(500):
        if gone(pid):
            return
        ended.wait(0.02)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the process went on without its window")
