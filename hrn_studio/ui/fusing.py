"""The Fit step with several frames: choose them, see how they agree, leave one out."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from hrn_studio.records import Reconstruction
from hrn_studio.session.agreement import Agreement, agreement
from hrn_studio.session.state import Result, Session, Shot
from hrn_studio.ui.band import Action, BandContent
from hrn_studio.ui.contact_sheet import ContactSheet
from hrn_studio.ui.fits import Fit, fit_name
from hrn_studio.ui.fuse_page import FrameLook
from hrn_studio.ui.fuse_panel import FuseRow
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.mainframe import MainFrame
from hrn_studio.ui.pictures import frame_heat

_HEAT_PX = 264


class Fusing(QObject):
    """Drives the page and the inspector of several frames.

    Signals
    -------
    changed
        The band and the panes say something else.
    """

    changed = Signal()

    def __init__(self, frame: MainFrame, contact: ContactSheet) -> None:
        super().__init__(frame)
        self._frame, self._studio, self._contact = frame, frame.studio, contact
        self._of: Result | None = None
        self._found: Agreement | None = None
        self._focus = 0
        self._kept: set[str] = set()
        """Results whose disagreeing frame was kept on purpose."""
        self._heats: dict[tuple[str, int], QImage] = {}
        self._drawing: tuple[str, int] | None = None
        self._job: Job | None = None
        panel = frame.fusing
        for pages in (panel, frame.fitting):
            pages.page_chosen.connect(self._on_page)
        panel.toggled.connect(self._on_toggled)
        panel.focused.connect(self._on_focused)
        panel.fuse_wanted.connect(self._studio.fuse_selected)
        panel.add_wanted.connect(frame.tray.add_wanted)
        self._studio.fits.changed.connect(self._on_fits)
        self._studio.fits.finished.connect(self._on_finished)

    @property
    def on(self) -> bool:
        return self._frame.stage.options.fusing

    def close(self) -> None:
        """The thread that draws a frame's disagreement ends."""
        if self._job is not None:
            self._job.wait(30.0)

    def turn(self, on: bool) -> None:
        """Show the page of several frames, or the one of single fits."""
        for pages in (self._frame.fusing.pages, self._frame.fitting.pages):
            pages.choose("several" if on else "one")
        self._frame.show_fit_page(on)
        look = "spread" if on else self._frame.stage.options.review
        self._frame.stage.set_options(fusing=on, review=look)
        self.show()

    def show(self) -> None:
        """Look at the session again."""
        if self._studio.session.step != "fit" or not self.on:
            return
        self._look(fused(self._studio.session))
        panel, found = self._frame.fusing, self._found
        panel.show_figures(found)
        rows = self._rows(self._studio.session)
        again = self._of is not None and set(self._of.shots) == {r.id for r in rows if r.chosen}
        panel.show_rows(rows, again)
        page = self._frame.fuse_page
        page.show_agreement(found)
        if found is not None:
            page.show_frame(found, self._frame_look(found))
        self.changed.emit()

    # --- what is shown ---

    def _look(self, result: Result | None) -> None:
        if result is self._of:
            return
        self._of = result
        self._found = None
        if result is not None:
            self._found = agreement(result.head, self._studio.parts.head())
        found = self._found
        worst = 0
        if found is not None:
            far = [f.median_mm for f in found.frames]
            worst = found.outlier if found.outlier is not None else far.index(max(far))
        self._focus = worst
        self._heats.clear()

    def _rows(self, session: Session) -> tuple[FuseRow, ...]:
        names = {f.name: i for i, f in enumerate(self._found.frames)} if self._found else {}
        out = _left_out(self._of.head) if self._of is not None else {}
        return tuple(
            self._row(shot, names, out, shot.id in session.selected)
            for shot in session.shots
            if not shot.rejected
        )

    def _row(self, shot: Shot, names: dict[str, int], out: dict[str, str], chosen: bool) -> FuseRow:
        image = self._contact.thumbs.get(shot.id)
        name = called(shot)
        index = names.get(name)
        if self._found is None or index is None:
            note = "left out" if name in out else ""
            return FuseRow(shot.id, shot.name, image, chosen, state="bad" if note else "none",
                           note=note)  # fmt: skip
        far = self._found.frames[index].median_mm
        state = "warn" if index == self._found.outlier else "ok"
        focused = index == self._focus
        return FuseRow(shot.id, shot.name, image, chosen, far, state, focused)  # type: ignore[arg-type]

    def _frame_look(self, found: Agreement) -> FrameLook:
        result = self._of
        assert result is not None
        key = (result.id, self._focus)
        if key not in self._heats and self._drawing is None:
            self._drawing = key
            heads = self._frame.show_panes.heads
            job = Job(frame_heat(heads, result, self._focus, _HEAT_PX), "heat")
            job.returned.connect(self._on_drawn)
            self._job = job
            job.start()
        photo = next(
            (
                self._contact.thumbs.get(shot.id)
                for shot in self._studio.session.shots
                if called(shot) == found.frames[self._focus].name
            ),
            None,
        )
        return FrameLook(self._focus, photo, self._heats.get(key))

    def _on_drawn(self, image: QImage) -> None:
        if self._drawing is not None:
            self._heats[self._drawing] = image
        self._drawing = None
        self.show()

    # --- what the user does ---

    def _on_page(self, key: str) -> None:
        self.turn(key == "several")

    def _on_toggled(self, shot_id: str, on: bool) -> None:
        chosen = self._studio.session.selected
        self._studio.frames.select(chosen | {shot_id} if on else chosen - {shot_id})

    def _on_focused(self, shot_id: str) -> None:
        shot = self._studio.session.shot(shot_id)
        if shot is None or self._found is None:
            return
        name = called(shot)
        index = next((i for i, f in enumerate(self._found.frames) if f.name == name), None)
        if index is not None:
            self._focus = index
            self.show()

    def keep(self) -> None:
        """The disagreeing frame stays."""
        if self._of is not None:
            self._kept.add(self._of.id)
            self.changed.emit()

    def leave_out(self) -> None:
        """Fuse again without the frame that disagrees."""
        found, result = self._found, self._of
        if found is None or result is None or found.outlier is None:
            return
        name = found.frames[found.outlier].name
        shots = [s for s in self._studio.session.shots if s.id in result.shots]
        left = [s.id for s in shots if called(s) != name]
        self._studio.frames.select(left)
        self._studio.fuse_selected()

    # --- what fits do ---

    def _on_fits(self) -> None:
        if self._studio.fits.running is not None and self.on:
            self.turn(False)

    def _on_finished(self, fit: Fit, head: Reconstruction) -> None:
        if self._studio.session.step == "fit" and len(head.views) > 1:
            self.turn(True)

    # --- the band ---

    def band(self) -> BandContent | None:
        """What the band says of several frames; None when there is nothing."""
        session, found, result = self._studio.session, self._found, self._of
        chosen = session.chosen
        fuse = Action("Fuse into one head", self._studio.fuse_selected, filled=True)
        if result is None or set(result.shots) != {s.id for s in chosen}:
            if len(chosen) < 2:
                reason = "Two or more of one person; they are fitted together."
                return BandContent("none", "Select the frames to fuse", reason)
            reason = "They are fitted together: what one does not see, another does."
            return BandContent("ok", f"Fuse {len(chosen)} frames", reason, fuse)
        review = Action("Review", lambda: self._studio.review(result.id), filled=True)
        if found is None:
            return BandContent("ok", f"{result.name} is fitted", "", review)
        if found.outlier is not None and result.id not in self._kept:
            wrong = found.frames[found.outlier]
            reason = (
                f"It differs by {wrong.median_mm:.2f} mm, most {wrong.where}. Without it the "
                f"spread is {found.without_mm:.2f} mm, not {found.median_mm:.2f}."
            )
            out = Action("Leave out and fuse", self.leave_out, filled=True)
            headline = f"Leave out {wrong.name} for a cleaner head"
            return BandContent("warn", headline, reason, out, Action("Keep it", self.keep))
        state = "ok" if found.good else "warn"
        reason = f"Spread {found.median_mm:.2f} mm in the median, most {found.most_where}."
        headline = f"{len(found.frames)} frames agree"
        if not found.good:
            headline = "The frames agree only roughly"
        return BandContent(state, headline, reason, review)  # type: ignore[arg-type]


def fused(session: Session) -> Result | None:
    """The head from several frames that is looked at: the shown one, if it is one."""
    shown = session.shown
    return shown if shown is not None and len(shown.shots) > 1 else None


def called(shot: Shot) -> str:
    """What a fit calls a frame, whatever it was renamed to."""
    return fit_name(Path(f"{shot.id}.png"))


def _left_out(head: Reconstruction) -> dict[str, str]:
    return {r.name: r.reason for r in head.reports if not r.used}
