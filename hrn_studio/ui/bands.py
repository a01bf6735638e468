"""What the band says in each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hrn_studio.session.state import GUIDED
from hrn_studio.ui import words
from hrn_studio.ui.band import Action, BandContent
from hrn_studio.ui.export_panel import ExportPanel
from hrn_studio.ui.fit_panel import fit_sentence, sentence
from hrn_studio.ui.shooting import LOW_DISK_BYTES
from hrn_studio.ui.studio import Studio


@dataclass(frozen=True, slots=True)
class BandActions:
    """What only the window can do."""

    choose_source: Callable[[], None]
    export: Callable[[], None]
    show_export: Callable[[], None]
    choose_folder: Callable[[], None]
    compare: Callable[[], None]
    """Choose a second result to show beside the first, or put it away."""
    comparing: bool
    about: str = ""
    """How many files an export writes, and how large they are about; empty when not known."""


def band(studio: Studio, panel: ExportPanel, actions: BandActions, free: int) -> BandContent:
    """The instruction of this moment."""
    step = studio.session.step
    if step == "review":
        return _review(studio, actions)
    if step == "export":
        return _export(studio, panel, actions)
    trouble = _trouble(studio, actions)
    if trouble is not None:
        return trouble
    if 0 < free < LOW_DISK_BYTES:
        reason = f"{free / 1e6:.0f} MB are left. Your frames are safe."
        return BandContent("bad", "Free some space to keep capturing", reason)
    if step == "fit":
        return _fit(studio)
    return _capture(studio) if step == "capture" and studio.shooting.guided else _live(studio)


def _trouble(studio: Studio, actions: BandActions) -> BandContent | None:
    status, spec = studio.live.status(), studio.live.spec
    if status is None or spec is None:
        return None
    table = {
        "lost": words.lost,
        "refused": words.busy,
        "black": words.black,
        "failed": words.gone,
    }
    if status.phase not in table:
        return None
    headline, reason, secondary, primary = table[status.phase](spec.name)
    other = Action(words.lost("")[2], actions.choose_source)
    again = Action("Try now", studio.try_now, filled=True)
    if status.phase == "failed":
        return BandContent(
            "bad", headline, reason, Action(primary, actions.choose_source, filled=True)
        )
    return BandContent("bad", headline, reason, again, other if secondary else None)


def _live(studio: Studio) -> BandContent:
    advice = studio.shooting.advice
    take = Action("Take frame", studio.shooting.take, "Space")
    if advice is None:
        still = studio.live.spec is not None and studio.live.spec.is_still
        reason = "The checks begin with the first picture."
        if still:
            return BandContent("none", "Waiting for a new picture", reason)
        if studio.session.source:
            return BandContent("none", "Starting the face tracker", reason)
        return BandContent("none", "Open a camera, photos or a video", "The source menu has them.")
    if studio.live.spec is not None and studio.live.spec.is_still:
        take = None  # type: ignore[assignment]
    elif advice.key == "ready":
        take = Action("Take frame", studio.shooting.take, "Space", filled=True)
    return BandContent(advice.state, advice.headline, advice.reason, take)


def _capture(studio: Studio) -> BandContent:
    guided, advice = studio.shooting.guided, studio.shooting.advice
    assert guided is not None
    shot = guided.shot
    if shot is None:
        return BandContent("ok", "All shots are taken", "Fit them, or take more in Live.")
    number = GUIDED.index(shot) + 1
    about = f"Shot {number} of {len(GUIDED)}, {shot.label[0].lower()}{shot.label[1:]}."
    skip = Action("Skip", studio.shooting.skip, "S")
    take = Action("Take now", studio.shooting.take, "Space")
    if advice is None or advice.key == "none":
        return BandContent("busy", "Look into the lens", about, take, skip, 0.0, large=True)
    if advice.key == "ready" or guided.hold > 0:
        held = "It is taken when you hold the pose for half a second."
        reason = held if studio.settings.capture.automatic else "Press Space to take it."
        return BandContent(
            "ok", "Hold still", f"{about} {reason}", take, skip, guided.hold, large=True
        )
    state = "bad" if advice.state == "bad" and advice.key not in ("yaw", "pitch") else "busy"
    return BandContent(
        "bad" if state == "bad" else "busy",
        advice.headline,
        f"{about} {advice.reason}",
        take,
        skip,
        guided.progress,
        large=True,
    )


def _fit(studio: Studio) -> BandContent:
    running = studio.fits.running
    headline, reason = fit_sentence(running, studio.session)
    if running is not None:
        take = Action("Take frame", studio.shooting.take, "Space") if studio.live.newest else None
        return BandContent("busy", headline, reason, take, progress=running.fraction)
    failed = next((f for f in reversed(studio.fits.all) if f.state == "failed"), None)
    chosen = len(studio.session.chosen)
    if failed is not None and not chosen:
        first = sentence(failed.problem.split("; ")[0])
        again = Action("Try again", lambda: studio.fits.again(failed.id), filled=True)
        return BandContent("bad", f"{failed.name} was not fitted", first, again)
    if not chosen:
        return BandContent("none", headline, reason)
    done = next(
        (
            r
            for r in studio.session.results
            if r.shots == tuple(s.id for s in studio.session.chosen)
        ),
        None,
    )
    if done is not None:
        again = Action("Fit again", studio.fit_selected if chosen == 1 else studio.fuse_selected)
        look = Action("Review", lambda: studio.review(done.id), filled=True)
        return BandContent(
            "ok", f"{done.name} is fitted", f"It took {words.clock(done.seconds)}.", look, again
        )
    if chosen == 1:
        return BandContent(
            "ok", headline, reason, Action("Fit", studio.fit_selected, "F", filled=True)
        )
    each = Action("Fit each", studio.fit_selected, "F")
    fuse = Action("Fuse into one head", studio.fuse_selected, filled=True)
    return BandContent("ok", headline, reason, fuse, each)


def _review(studio: Studio, actions: BandActions) -> BandContent:
    result = studio.session.shown
    if result is None:
        return BandContent("none", "Fit a frame first", "Results appear in the tray.")
    made = result.head
    residual = made.views[0].state.residual_px
    used = sum(r.used for r in made.reports) or len(made.views)
    parts = [f"Landmarks within {residual:.1f} px."]
    if used > 1:
        spread = float(sorted(made.spread_mm)[len(made.spread_mm) // 2])
        parts.append(f"{used} frames agree within {spread:.2f} mm in the median.")
    else:
        parts.append(f"Fitted in {words.clock(result.seconds)}.")
    left_out = [r.name for r in made.reports if not r.used]
    if left_out:
        parts.append(f"Left out: {', '.join(left_out)}.")
    export = Action("Export…", lambda: studio.go("export"), "Ctrl E", filled=True)
    compare = None
    if len(studio.session.results) > 1:
        text = "Photo and mesh" if actions.comparing else "Compare with…"
        compare = Action(text, actions.compare)
    return BandContent("ok", f"{result.name} is fitted", " ".join(parts), export, compare)


def _export(studio: Studio, panel: ExportPanel, actions: BandActions) -> BandContent:
    result, state = studio.session.shown, studio.exports.state
    if result is None:
        return BandContent("none", "Fit a frame first", "Results appear in the tray.")
    if state.running:
        cancel = Action("Cancel", studio.exports.cancel)
        headline = f"Exporting {result.name}"
        return BandContent("busy", headline, state.message, cancel, progress=state.fraction)
    if state.problem:
        other = Action("Choose another folder", actions.choose_folder, filled=True)
        again = Action("Try again", actions.export)
        return BandContent("bad", "Choose another folder", state.problem, other, again)
    preset = panel.preset
    count = len(panel.formats)
    export = Action("Export", actions.export, "Ctrl Return", filled=True, enabled=count > 0)
    if not count:
        return BandContent("warn", "Tick at least one format", "Nothing would be written.", export)
    if state.folder:
        show = Action("Show in folder", actions.show_export)
        again = Action("Export again", actions.export, "Ctrl Return")
        return BandContent("ok", f"{result.name} is exported", state.folder, again, show)
    name = preset.title if preset is not None else "other tools"
    kinds = "1 format" if count == 1 else f"{count} formats"
    reason = f"{actions.about or f'{kinds} and a manifest'}. All files are written, or none."
    return BandContent("ok", f"Ready to export for {name}", reason, export)
