"""What the window shows, as one frozen record, and every way it may change.

A change is a function from a session to the next; panels compare the old with the new and redraw
what differs (``old.shots is not new.shots``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from hrn_studio.live.quality import Quality, Target
from hrn_studio.live.quality_limits import State
from hrn_studio.records import Reconstruction
from hrn_studio.session.resident import Resident

Step: TypeAlias = Literal["live", "capture", "fit", "review", "export"]
STEPS: tuple[Step, ...] = ("live", "capture", "fit", "review", "export")


@dataclass(frozen=True, slots=True)
class Planned:
    """A shot of the guided sequence."""

    key: str
    label: str
    hint: str
    target: Target
    optional: bool = False


GUIDED: tuple[Planned, ...] = (
    Planned("front", "Front, neutral", "lips closed, eyes to the lens", Target(0, 0, 5, 8)),
    Planned("left", "Left 30°", "both eyes still seen", Target(30, 0, 7, 12)),
    Planned("right", "Right 30°", "both eyes still seen", Target(-30, 0, 7, 12)),
    Planned("up", "Up 15°", "chin up, eyes to the lens", Target(0, 15, 6, 10)),
    Planned("down", "Down 15°", "chin down, eyes to the lens", Target(0, -15, 6, 10)),
    Planned("smile", "Smile", "helps the expression shapes", Target(0, 0, 7, 12, False), True),
    Planned("open", "Open mouth", "helps the jaw", Target(0, 0, 7, 12, False), True),
)
KINDS = {"front": "Front", "left": "Left", "right": "Right", "up": "Up", "down": "Down"} | {
    "smile": "Smile",
    "open": "Open",
    "photo": "Photo",
}
"""What a frame of each kind is called."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One kept frame; its picture is in the session's folder."""

    id: str
    """The file's stem, never changed: ``front-01``."""
    name: str
    """For people: ``Front 01``."""
    kind: str
    score: int
    state: State
    pose_deg: tuple[float, float, float] | None = None
    rejected: str = ""
    """Why, in a word; empty when it is not."""
    size: tuple[int, int] = (0, 0)
    sharpness: float = 0.0
    taken: str = ""
    """Local time, ISO 8601."""
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A finished fit."""

    id: str
    name: str
    shots: tuple[str, ...]
    kept: Resident
    seconds: float

    @property
    def head(self) -> Reconstruction:
        """Read from disk when it is not in memory; raises ``ArchiveError``."""
        return self.kept.get()


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Everything the window shows that is not live."""

    name: str = "New session"
    folder: str = ""
    """Empty before the first frame is kept."""
    step: Step = "live"
    shots: tuple[Shot, ...] = ()
    selected: frozenset[str] = frozenset()
    """Shots."""
    results: tuple[Result, ...] = ()
    result: str = ""
    """The one that is reviewed and exported."""
    source: str = ""
    """The open source, for people; empty when none is open."""

    def shot(self, shot_id: str) -> Shot | None:
        return next((s for s in self.shots if s.id == shot_id), None)

    @property
    def chosen(self) -> tuple[Shot, ...]:
        """The selected shots that may be fitted, in the tray's order."""
        return tuple(s for s in self.shots if s.id in self.selected and not s.rejected)

    @property
    def shown(self) -> Result | None:
        """The result that is reviewed."""
        return next((r for r in self.results if r.id == self.result), None)

    def missing(self, step: Step) -> str:
        """Why a step cannot be entered yet; empty when it can."""
        if step in ("capture",) and not self.source:
            return "Open a camera, photos or a video first"
        if step == "fit" and not self.shots and not self.results:
            return "Take or open a frame first"
        if step in ("review", "export") and not self.results:
            return "Fit a frame first"
        return ""


Change: TypeAlias = Callable[[Session], Session]


def to_step(session: Session, step: Step) -> Session:
    """Another step, when something is there for it."""
    return session if session.missing(step) else dataclasses.replace(session, step=step)


def with_shot(session: Session, shot: Shot) -> Session:
    """A new or changed frame; a new one comes last and is the only one selected."""
    if session.shot(shot.id) is None:
        shots = (*session.shots, shot)
        return dataclasses.replace(session, shots=shots, selected=frozenset([shot.id]))
    shots = tuple(shot if s.id == shot.id else s for s in session.shots)
    return dataclasses.replace(session, shots=shots)


def without_shots(session: Session, ids: Iterable[str]) -> Session:
    gone = frozenset(ids)
    shots = tuple(s for s in session.shots if s.id not in gone)
    return dataclasses.replace(session, shots=shots, selected=session.selected - gone)


def with_shots_back(session: Session, shots: Iterable[Shot]) -> Session:
    """Undo of :func:`without_shots`: the frames take their places by time again."""
    back = tuple(shots)
    together = sorted((*session.shots, *back), key=lambda s: (s.taken, s.id))
    selected = frozenset(s.id for s in back)
    return dataclasses.replace(session, shots=tuple(together), selected=selected)


def rejected(session: Session, ids: Iterable[str], reason: str) -> Session:
    """Set frames aside, with the reason in a word; an empty reason takes them back."""
    wanted = frozenset(ids)
    shots = tuple(
        dataclasses.replace(s, rejected=reason) if s.id in wanted else s for s in session.shots
    )
    return dataclasses.replace(session, shots=shots)


def renamed_shot(session: Session, shot_id: str, name: str) -> Session:
    shot = session.shot(shot_id)
    name = name.strip()
    return with_shot(session, dataclasses.replace(shot, name=name)) if shot and name else session


def selecting(session: Session, ids: Iterable[str]) -> Session:
    known = {s.id for s in session.shots}
    return dataclasses.replace(session, selected=frozenset(ids) & known)


def with_result(session: Session, result: Result) -> Session:
    """A finished fit, shown at once in Review and Export."""
    results = (*(r for r in session.results if r.id != result.id), result)
    return dataclasses.replace(session, results=results, result=result.id)


def without_result(session: Session, result_id: str) -> Session:
    """A result is gone; none is shown when it was the one."""
    results = tuple(r for r in session.results if r.id != result_id)
    result = session.result if session.result != result_id else ""
    return dataclasses.replace(session, results=results, result=result)


def next_result(session: Session) -> str:
    """An id that no result has: ``head-03``."""
    numbers = [int(r.id.rsplit("-", 1)[1]) for r in session.results]
    return f"head-{max(numbers, default=0) + 1:02d}"


def showing(session: Session, result_id: str) -> Session:
    if not any(r.id == result_id for r in session.results):
        return session
    return dataclasses.replace(session, result=result_id)


def next_name(session: Session, kind: str) -> tuple[str, str]:
    """Id and name of the next frame of a kind: ``front-03``, ``Front 03``."""
    numbers = [int(s.id.rsplit("-", 1)[1]) for s in session.shots if s.id.startswith(f"{kind}-")]
    number = max(numbers, default=0) + 1
    return f"{kind}-{number:02d}", f"{KINDS.get(kind, 'Frame')} {number:02d}"


def kind_of(pose_deg: tuple[float, float, float] | None) -> str:
    """Which shot of the sequence a pose is nearest to."""
    if pose_deg is None:
        return "photo"
    yaw, pitch, _ = pose_deg
    near = [p for p in GUIDED if not p.optional]
    return min(near, key=lambda p: (p.target.yaw - yaw) ** 2 + (p.target.pitch - pitch) ** 2).key


def shot_of(shot_id: str, name: str, quality: Quality, size: tuple[int, int], taken: str) -> Shot:
    """The record of a frame with its measures."""
    values = {m.key: m.value for m in quality.measures if m.state != "none"}
    return Shot(
        id=shot_id,
        name=name,
        kind=shot_id.rsplit("-", 1)[0],
        score=quality.score,
        state=quality.worst(),
        pose_deg=quality.pose_deg,
        size=size,
        sharpness=values.get("sharpness", 0.0),
        taken=taken,
        measures=values,
    )
