"""Titles of the two panes, step by step."""

from __future__ import annotations

from hrn_studio.ui.stage import Stage
from hrn_studio.ui.studio import Studio


def titles(stage: Stage, studio: Studio, written: tuple[str, str]) -> None:
    """Say in the headers what the panes show; ``written`` heads the files of an export."""
    session = studio.session
    step, result, o = session.step, session.shown, stage.options
    name = result.name if result is not None else ""
    if step == "review":
        other = next((r for r in session.results if r.id == o.other), None)
        stage.left.say(other.name if other is not None else "Photo and mesh")
        stage.right.say("Result")
    elif step == "export":
        stage.left.say(name, "as it will be written")
        stage.right.say(*written)
    elif stage.fusing:
        several = result is not None and len(result.shots) > 1
        stage.left.say("Do more frames help?", "uncertainty in mm, by frames" if several else "")
        stage.right.say(f"Spread of {len(result.shots)} frames" if several and result else "Face")
    else:
        status = studio.live.status()
        lost = status is not None and status.phase in ("lost", "refused", "failed")
        mirrored = "last picture" if lost else "mirrored" if o.mirror else ""
        title = {"overlay": "Camera and face", "mesh": "Face"}.get(stage.layout_now, "Camera")
        stage.left.say(title, "" if title == "Face" else mirrored)
        running = studio.fits.running
        if step == "fit" and running is not None:
            stage.right.say(running.name, running.message)
        elif step == "fit" and result is not None:
            stage.right.say(result.name, "fitted")
        else:
            stage.right.say("Face")
