"""The whole path, driven by clicks and keys, with a real OpenGL context."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton

from hrn_studio.ui.parts import ExportChoice, MoreChoice, export_settings
from hrn_studio.ui.widgets.controls import Segmented

pytestmark = pytest.mark.gl
LONG_MS = 20000


def key(qtbot, window, code, modifier=Qt.KeyboardModifier.NoModifier):
    window.setFocus()
    qtbot.keyClick(window, code, modifier)


def go_live(qtbot, window, film):
    window.studio.open_paths([film])
    with_face = lambda: window.studio.live.face is not None  # noqa: E731
    qtbot.waitUntil(with_face, timeout=LONG_MS)
    qtbot.waitUntil(lambda: window.stage.viewport.paints > 0, timeout=LONG_MS)


def take(qtbot, window):
    count = len(window.studio.session.shots)
    key(qtbot, window, Qt.Key.Key_Space)
    more = lambda: len(window.studio.session.shots) > count  # noqa: E731
    qtbot.waitUntil(more, timeout=LONG_MS)


def fit(qtbot, window):
    count = len(window.studio.session.results)
    key(qtbot, window, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: len(window.studio.session.results) > count, timeout=LONG_MS)


def arrived(qtbot, window, step):
    """A step that shows a head is entered when the head was read."""
    qtbot.waitUntil(lambda: window.studio.session.step == step, timeout=LONG_MS)


def test_first_start_has_one_primary_and_no_read_outs(window):
    assert window.pages.currentIndex() == 1
    primary = [c for c in window.welcome.cards if c.button.property("role") == "start"]
    assert len(primary) == 1
    assert len(window.welcome.cards) == 4  # with or without a camera
    assert not window.guidance.instruments.isVisible()


def test_no_step_opens_before_something_is_there(qtbot, window):
    for step in ("capture", "fit", "review", "export"):
        qtbot.mouseClick(window.top.steps[step], Qt.MouseButton.LeftButton)
        assert window.studio.session.step == "live"
        assert window.top.steps["live"].isChecked()


def test_from_live_to_export(qtbot, window, film, tmp_path):
    """Demo source, live, frame by Space, fit, review, export: clicks and keys only."""
    go_live(qtbot, window, film)
    assert window.pages.currentIndex() == 0
    take(qtbot, window)
    shot = window.studio.session.shots[0]
    folder = Path(window.studio.session.folder)
    assert (folder / "frames" / f"{shot.id}.png").exists()
    qtbot.waitUntil(lambda: shot.id in window.contact.thumbs, timeout=LONG_MS)
    fit(qtbot, window)
    assert any("is fitted" in text for text in window.toasts.texts)
    qtbot.mouseClick(window.top.steps["review"], Qt.MouseButton.LeftButton)
    arrived(qtbot, window, "review")
    window.stage.set_options(review="displacement")
    window.redraw()
    assert window.show_panes.results.heat is not None
    jaw = next(r for r in window.review.rows if "jawOpen" in r.names)
    jaw.slider.setValue(60)
    assert window.show_panes.moment.weights == {"jawOpen": 0.6}
    window.studio.change("window", export_folder=str(tmp_path / "out"))
    key(qtbot, window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert window.studio.session.step == "export"
    window.export.choose("unreal")
    window.export.sizes.button("1024").click()
    qtbot.mouseClick(window.export.inner, Qt.MouseButton.LeftButton)
    about = lambda: window.stage.right.note.text()  # noqa: E731
    qtbot.waitUntil(lambda: "about" in about(), timeout=LONG_MS)
    qtbot.mouseClick(window.band.primary, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.studio.exports.state.folder), timeout=3 * LONG_MS)
    choice = window.studio.parts.exported[0]
    assert (choice.preset, choice.texture_px, choice.naming) == ("unreal", 1024, "unreal")
    assert not choice.inner
    written = {f.name for f in Path(window.studio.exports.state.folder).iterdir()}
    assert {"manifest.json", "README.txt", "Front_01_normal_dx.png"} <= written
    assert window.stage.right.title.text() == "Written"


def test_the_expressions_in_the_plots_are_chosen(qtbot, window, film):
    go_live(qtbot, window, film)
    key(qtbot, window, Qt.Key.Key_P)
    plots = window.tray.plots
    qtbot.waitUntil(lambda: len(plots._rows) > 2, timeout=LONG_MS)
    menu = plots.menu()
    second = menu.actions()[1].menu()
    next(a for a in second.actions() if a.text() == "brow inner up").trigger()
    assert window.studio.settings.window.plot_second == "browInnerUp"
    assert "brow inner up" in plots._plots[-1]._legend[1].text()
    plots._on_timeout()
    menu.deleteLater()


def test_guided_capture_takes_each_shot_by_itself(qtbot, window, film, parts):
    window.studio.change("capture", burst=1)
    go_live(qtbot, window, film)
    qtbot.mouseClick(window.top.steps["capture"], Qt.MouseButton.LeftButton)
    studio = window.studio
    poses = [(0, 0), (30, 0), (-30, 0), (0, 15), (0, -15)]
    for number, (yaw, pitch) in enumerate(poses, 1):
        parts.actor.yaw, parts.actor.pitch = yaw, pitch
        qtbot.waitUntil(lambda n=number: len(studio.session.shots) == n, timeout=LONG_MS)
    assert [s.kind for s in studio.session.shots] == ["front", "left", "right", "up", "down"]
    assert studio.shooting.guided is not None
    assert studio.shooting.guided.shot.key == "smile"
    key(qtbot, window, Qt.Key.Key_S)
    key(qtbot, window, Qt.Key.Key_S)
    assert studio.shooting.guided.done
    key(qtbot, window, Qt.Key.Key_Escape)
    assert studio.session.step == "live"


def test_frames_are_set_aside_deleted_and_brought_back(qtbot, window, film):
    go_live(qtbot, window, film)
    take(qtbot, window)
    take(qtbot, window)
    studio = window.studio
    key(qtbot, window, Qt.Key.Key_X)
    assert studio.session.shots[1].rejected
    key(qtbot, window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not studio.session.shots[1].rejected
    key(qtbot, window, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(studio.session.selected) == 2
    key(qtbot, window, Qt.Key.Key_Delete)
    assert not studio.session.shots
    key(qtbot, window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(studio.session.shots) == 2
    key(qtbot, window, Qt.Key.Key_Left)
    assert studio.session.selected == {studio.session.shots[0].id}


def test_a_fit_can_be_cancelled_at_once(qtbot, window, film, parts):
    go_live(qtbot, window, film)
    take(qtbot, window)
    parts.hold.clear()
    studio = window.studio
    studio.fit_selected()
    studio.fit_selected()
    studio.go("fit")
    qtbot.waitUntil(lambda: studio.fits.running is not None, timeout=LONG_MS)
    assert len(studio.fits.waiting) == 1
    key(qtbot, window, Qt.Key.Key_Escape)
    first = studio.fits.all[0].id
    assert first == 2  # the running one is gone from the list at once
    qtbot.waitUntil(lambda: studio.fits.running is not None, timeout=LONG_MS)
    parts.hold.set()
    qtbot.waitUntil(lambda: len(studio.session.results) == 1, timeout=LONG_MS)


def test_a_failed_fit_says_what_and_what_to_do(qtbot, window, film, parts):
    go_live(qtbot, window, film)
    take(qtbot, window)
    parts.fail = "hair covers the cheek; take it again with the hair tied back"
    studio = window.studio
    studio.fit_selected()
    studio.go("fit")
    qtbot.waitUntil(lambda: any(f.state == "failed" for f in studio.fits.all), timeout=LONG_MS)

    def offered():
        buttons = window.fitting.findChildren(QAbstractButton)
        return "Try again" in [b.text() for b in buttons if b.isVisible()]

    qtbot.waitUntil(offered)
    parts.fail = ""
    studio.fits.again(studio.fits.all[0].id)
    qtbot.waitUntil(lambda: len(studio.session.results) == 1, timeout=LONG_MS)


def test_several_frames_make_one_head(qtbot, window, film, parts):
    go_live(qtbot, window, film)
    take(qtbot, window)
    take(qtbot, window)
    window.studio.frames.select([s.id for s in window.studio.session.shots])
    qtbot.mouseClick(window.tray.fuse, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.studio.session.results) == 1, timeout=LONG_MS)
    assert len(parts.fitted[0]) == 2
    window.studio.go("review")
    arrived(qtbot, window, "review")
    window.stage.set_options(review="spread")
    window.redraw()
    assert window.show_panes.results.heat.scale.title == "mm"


def test_the_frame_that_disagrees_is_named_and_left_out(qtbot, window, film, parts):
    parts.strange = 2
    go_live(qtbot, window, film)
    for _ in range(4):
        take(qtbot, window)
    studio = window.studio
    shots = [s.id for s in studio.session.shots]
    studio.go("fit")
    studio.frames.select(shots[:1])
    qtbot.mouseClick(window.fitting.pages.button("several"), Qt.MouseButton.LeftButton)
    assert window.band.content.headline == "Select the frames to fuse"
    assert not window.fusing.fuse.isEnabled()
    studio.frames.select(shots)
    assert window.fusing.fuse.text() == "Fuse 4 frames"
    qtbot.mouseClick(window.fusing.fuse, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(studio.session.results) == 1, timeout=LONG_MS)
    qtbot.waitUntil(lambda: window.stage.fusing)
    headline = lambda: window.band.content.headline  # noqa: E731
    qtbot.waitUntil(lambda: headline() == "Leave out Front 03 for a cleaner head")
    window.redraw()
    assert window.show_panes.results.heat.scale.title == "mm"
    assert window.fuse_page.isVisible()
    parts.strange = None
    qtbot.mouseClick(window.band.primary, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(studio.session.results) == 2, timeout=LONG_MS)
    assert parts.fitted[1] == ["Front 01", "Front 02", "Front 04"]
    qtbot.waitUntil(lambda: headline() == "3 frames agree")
    qtbot.mouseClick(window.fusing.pages.button("one"), Qt.MouseButton.LeftButton)
    assert not window.stage.fusing


def test_the_mesh_refines_while_a_fit_runs(qtbot, window, film, parts):
    go_live(qtbot, window, film)
    take(qtbot, window)
    parts.hold.clear()
    window.studio.fit_selected()
    window.studio.go("fit")
    qtbot.waitUntil(lambda: window.studio.fits.mesh is not None, timeout=LONG_MS)
    window.redraw()
    shown = {s.key: s for s in window.show_panes.panes()}
    assert shown["mesh"].pane.scene.vertices is window.studio.fits.mesh
    assert not window.stage.looks.isVisible()
    parts.hold.set()
    qtbot.waitUntil(lambda: len(window.studio.session.results) == 1, timeout=LONG_MS)


def test_results_are_there_after_a_restart(qtbot, qapp, parts, window, film):
    go_live(qtbot, window, film)
    take(qtbot, window)
    with qtbot.waitSignal(window.studio.results.kept, timeout=LONG_MS):
        fit(qtbot, window)
    folder = Path(window.studio.session.folder)
    neutral = window.studio.session.shown.head.neutral
    from hrn_studio.ui.start import make_window

    other = make_window(qapp, parts, None)
    qtbot.addWidget(other)
    other.show()
    other.studio.open_session(folder)
    qtbot.waitUntil(lambda: other.studio.session.shown is not None, timeout=LONG_MS)
    assert np.array_equal(other.studio.session.shown.head.neutral, neutral)
    other.go("review")
    arrived(qtbot, other, "review")
    other.close()


def test_a_head_is_in_memory_only_while_it_is_looked_at(qtbot, window, film):
    go_live(qtbot, window, film)
    take(qtbot, window)
    with qtbot.waitSignal(window.studio.results.kept, timeout=LONG_MS):
        fit(qtbot, window)
    shown = window.studio.session.shown
    assert not shown.kept.here
    for step in ("review", "export", "fit"):
        window.go("live")
        assert not shown.kept.here
        assert not window.show_panes.heads.has(shown)
        window.go(step)
        arrived(qtbot, window, step)
        assert shown.kept.here
        window.redraw()
    window.go("live")
    window.stage.set_options(look="textured")
    window.redraw()
    qtbot.waitUntil(lambda: window.show_panes.heads.has(shown), timeout=LONG_MS)
    qtbot.waitUntil(lambda: not shown.kept.here, timeout=LONG_MS)


def test_a_head_that_cannot_be_read_bars_no_step(qtbot, window, film):
    go_live(qtbot, window, film)
    take(qtbot, window)
    with qtbot.waitSignal(window.studio.results.kept, timeout=LONG_MS):
        fit(qtbot, window)
    window.studio.session.shown.kept.file.write_bytes(b"nothing")
    window.go("fit")
    qtbot.waitUntil(lambda: window.studio.session.shown is None, timeout=LONG_MS)
    window.go("fit")
    assert window.studio.session.step == "fit"


def test_a_head_is_deleted_for_good(qtbot, window, film):
    go_live(qtbot, window, film)
    take(qtbot, window)
    for _ in range(2):
        with qtbot.waitSignal(window.studio.results.kept, timeout=LONG_MS):
            fit(qtbot, window)
    studio = window.studio
    window.go("review")
    arrived(qtbot, window, "review")
    folder = Path(studio.session.folder) / "results"
    window.contact.delete_result(studio.session.results[1].id)
    qtbot.waitUntil(lambda: studio.session.result == "head-01", timeout=LONG_MS)
    assert sorted(f.name for f in folder.iterdir()) == ["head-01.head.npz", "head-01.json"]
    window.contact.delete_result("head-01")
    assert not studio.session.results
    assert studio.session.step == "live"
    assert not list(folder.iterdir())


def test_every_picture_that_is_added_is_kept(qtbot, window, film, tmp_path, doubles):
    from PIL import Image

    go_live(qtbot, window, film)
    files = [tmp_path / f"p{i}.png" for i in range(6)]
    for number, file in enumerate(files):
        Image.fromarray(doubles.picture(number)).save(file)
    window.studio.shooting.add_pictures(files)
    qtbot.waitUntil(lambda: len(window.studio.session.shots) == 6, timeout=LONG_MS)


def test_stills_are_judged_one_by_one(qtbot, window, tmp_path, doubles, parts):
    """Nothing moved between two photographs, and a turned head is no bad front."""
    from PIL import Image

    parts.actor.yaw = 30
    for number in range(3):
        Image.fromarray(doubles.picture(number)).save(tmp_path / f"p{number}.png")
    window.studio.open_paths([tmp_path])
    qtbot.waitUntil(lambda: len(window.studio.session.shots) == 3, timeout=LONG_MS)
    for shot in window.studio.session.shots:
        assert "motion" not in shot.measures
        assert shot.pose_deg[0] == pytest.approx(30, abs=1)
        assert shot.measures["yaw"] == pytest.approx(0, abs=1)
    assert window.studio.live.face.face.quality["yaw"].state == "ok"


def test_two_results_are_shown_side_by_side(qtbot, window, film):
    go_live(qtbot, window, film)
    take(qtbot, window)
    fit(qtbot, window)
    take(qtbot, window)
    fit(qtbot, window)
    window.studio.go("review")
    arrived(qtbot, window, "review")
    window._say()
    qtbot.mouseClick(window.band.secondary, Qt.MouseButton.LeftButton)
    first = window.studio.session.results[0]
    qtbot.waitUntil(lambda: window.stage.options.other == first.id, timeout=LONG_MS)
    assert window.stage.left.title.text() == first.name
    assert [s.key for s in window.show_panes.panes()] == ["picture", "mesh"]
    qtbot.mouseClick(window.band.secondary, Qt.MouseButton.LeftButton)
    assert not window.stage.options.other


def test_nothing_moves_between_the_steps(qtbot, window, film):
    go_live(qtbot, window, film)
    take(qtbot, window)
    fit(qtbot, window)
    places = {}
    for step in ("live", "fit", "review", "export"):
        window.go(step)
        arrived(qtbot, window, step)
        window.layout().activate()
        qtbot.wait(1)
        parts_of = (window.band, window.stage, window.tray, window.status, window.top)
        places[step] = [p.geometry() for p in parts_of]
        places[step] += [b.geometry() for b in window.top.steps.values()]
        places[step].append(window.stage.viewport.geometry())
    assert all(p == places["live"] for p in places.values())


@pytest.mark.parametrize("size", [(1080, 680), (1280, 800), (1440, 900), (1920, 1080)])
def test_the_measures_of_the_design(qtbot, window, film, size):
    go_live(qtbot, window, film)
    window.resize(*size)
    window.redraw()
    qtbot.waitUntil(lambda: window.inspector.width() == (384 if size[0] >= 1680 else 344))
    assert window.top.height() == 52
    assert window.band.height() == 64
    assert window.tray.height() == 136
    assert window.status.height() == 28
    left, right = window.stage.rects()
    assert left.width() == right.width()
    assert right.x() - left.right() in (12, 13)
    if size == (1440, 900):
        assert (left.width(), left.height()) == (530, 548)
    if size == (1280, 800):
        area = window.inspector.currentWidget()
        assert not area.verticalScrollBar().isVisible()


@pytest.mark.parametrize("percent", [100, 130])
def test_labels_are_not_clipped(qtbot, window, film, percent):
    """Every visible label has the room its text needs, at 30 % more, too."""
    window.studio.change("window", text_percent=percent)
    go_live(qtbot, window, film)
    take(qtbot, window)
    fit(qtbot, window)
    from PySide6.QtWidgets import QLabel

    from hrn_studio.ui.build import Elided

    window.resize(1280, 800)

    def clipped() -> list[tuple[str, int, int]]:
        found = []
        for label in window.findChildren(QLabel):
            if not label.isVisible() or isinstance(label, Elided) or label.wordWrap():
                continue
            if not label.text() or label.textFormat() == Qt.TextFormat.RichText:
                continue
            needed = label.fontMetrics().horizontalAdvance(label.text())
            if label.width() < needed - 1:
                found.append((label.text(), label.width(), needed))
        for button in window.findChildren(QAbstractButton):
            if not button.isVisible() or button.property("role") != "segment":
                continue
            needed = button.fontMetrics().horizontalAdvance(button.text())
            if button.width() < needed:
                found.append((button.text(), button.width(), needed))
        return found

    def nothing_clipped() -> None:
        assert clipped() == []

    for step in ("live", "capture", "fit", "review", "export"):
        window.go(step)
        arrived(qtbot, window, step)
        qtbot.waitUntil(nothing_clipped)  # layouts settle after the next events


def test_dropped_files_are_opened(qtbot, window, film):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(film))])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
    assert window.studio.session.source == film.name


def test_a_film_that_vanished_is_said(qtbot, window, film, tmp_path):
    gone = tmp_path / "gone.avi"
    gone.write_bytes(film.read_bytes())
    window.studio.open_paths([gone])
    qtbot.waitUntil(lambda: window.studio.live.face is not None, timeout=LONG_MS)
    gone.unlink()
    failed = lambda: window.studio.live.status().phase == "failed"  # noqa: E731
    qtbot.waitUntil(failed, timeout=LONG_MS)
    qtbot.waitUntil(lambda: window.band.content.headline == "Choose the source again")
    assert window.studio.live.newest is not None
    window.redraw()


def test_no_face_is_no_error(qtbot, window, film, parts):
    parts.actor.seen = False
    go_live(qtbot, window, film)
    qtbot.waitUntil(lambda: window.band.content.headline == "Come into the picture")


def test_sheets_keep_keys_from_the_window(qtbot, window, film):
    go_live(qtbot, window, film)
    key(qtbot, window, Qt.Key.Key_F1)
    assert window.sheet is window.preferences.help_sheet
    key(qtbot, window, Qt.Key.Key_M)
    assert window.stage.options.mirror
    key(qtbot, window, Qt.Key.Key_Escape)
    assert window.sheet is None
    key(qtbot, window, Qt.Key.Key_M)
    assert not window.stage.options.mirror
    key(qtbot, window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert window.sheet is window.preferences.settings_sheet
    for page in window.preferences.settings_sheet.pages:
        if page != "health":
            window.preferences.settings_sheet.show_page(page)
    window.preferences.settings_sheet.guidance.preset.button("passport").click()
    assert window.studio.settings.guidance.preset == "passport"
    window.preferences.settings_sheet.close_sheet()


def test_light_theme_restyles_at_once(qtbot, window, film):
    go_live(qtbot, window, film)
    window.studio.change("window", theme="light")
    assert window.palette().window().color().lightness() > 150
    window.studio.change("window", theme="dark", text_percent=130)
    assert window.palette().window().color().lightness() < 60


def test_the_pointer_turns_the_head(qtbot, window, film):
    go_live(qtbot, window, film)
    viewport = window.stage.viewport
    at = QPoint(viewport.width() - 200, 200)
    before = window.stage.options.orbit
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(viewport, at + QPoint(40, 10))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=at)
    key(qtbot, window, Qt.Key.Key_R)
    assert window.stage.options.orbit == before


def test_the_panes_show_picture_and_head(qtbot, window, film):
    go_live(qtbot, window, film)
    window.redraw()
    shown = window.stage.viewport.grabFramebuffer()
    w, h = shown.width(), shown.height()
    picture = shown.pixelColor(w // 8, h // 2)
    assert picture.red() > picture.blue() + 20  # skin
    head = shown.pixelColor(w * 3 // 4, h // 2)
    ground = shown.pixelColor(w - 12, 12)
    assert head.lightness() > ground.lightness() + 40


def test_session_is_offered_after_a_crash(qtbot, qapp, parts, window, film):
    go_live(qtbot, window, film)
    take(qtbot, window)
    kept = window.studio.sessions_folder
    from hrn_studio.session.store import sessions

    assert sessions(kept)[0].ended_early
    from hrn_studio.ui.start import make_window

    other = make_window(qapp, parts, None)
    qtbot.addWidget(other)
    other.show()
    first = other.welcome.cards[0]
    assert first.button.text() == "Open"
    first.button.click()
    assert len(other.studio.session.shots) == 1
    assert isinstance(other.tray.tabs, Segmented)
    other.close()


def test_full_disk_is_said(qtbot, window, film, monkeypatch):
    from hrn_studio.ui import shooting as shooting_module
    from hrn_studio.ui import window as window_module

    go_live(qtbot, window, film)
    for module in (shooting_module, window_module):
        monkeypatch.setattr(module, "free_bytes", lambda _: 1000)
    key(qtbot, window, Qt.Key.Key_Space)
    assert not window.studio.session.shots
    assert any("Free some space" in text for text in window.toasts.texts)
    headline = lambda: window.band.content.headline.startswith("Free some space")  # noqa: E731
    qtbot.waitUntil(headline, timeout=3000)


def test_pixels_stay_as_they_came(qtbot, window, film, doubles):
    """Mirroring is for the screen; what is stored is what the camera saw."""
    go_live(qtbot, window, film)
    take(qtbot, window)
    from PIL import Image

    stored = window.studio.frames.picture(window.studio.session.shots[0].id)
    kept = np.asarray(Image.open(stored)).astype(int)
    assert np.abs(kept - doubles.picture()).mean() < 12


def test_what_a_preset_decides_can_be_changed(qtbot, window, film, tmp_path):
    go_live(qtbot, window, film)
    take(qtbot, window)
    fit(qtbot, window)
    window.studio.change("window", export_folder=str(tmp_path / "out"))
    key(qtbot, window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    window.export.choose("unity")
    qtbot.mouseClick(window.export.more_link, Qt.MouseButton.LeftButton)
    sheet = window.preferences.more_sheet
    assert sheet.isVisible()
    assert (sheet.skeleton.key, sheet.normal.key) == ("head", "gl")
    sheet.skeleton.button("full").click()
    sheet.normal.button("dx").click()
    qtbot.mouseClick(sheet.compress, Qt.MouseButton.LeftButton)
    recording = tmp_path / "take.csv"
    recording.write_text("this is no recording")
    sheet.use_recording(recording)
    more = window.export.more
    assert (more.skeleton, more.normal, more.compress) == ("full", "dx", "meshopt")
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    about = lambda: window.stage.right.note.text()  # noqa: E731
    qtbot.waitUntil(lambda: "about" in about(), timeout=LONG_MS)
    qtbot.mouseClick(window.band.primary, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.studio.exports.state.problem), timeout=3 * LONG_MS)
    assert "take.csv" in window.studio.exports.state.problem
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())
    sheet.use_recording(None)
    window.export.choose("unreal")  # its own choices again
    assert window.export.more.skeleton == window.export.preset.more.skeleton
    assert window.export.more.compress == "none"


def test_every_option_of_an_export_is_in_the_window(tmp_path):
    """Another field in ExportOptions needs its place in the panel or the sheet."""
    choice = ExportChoice(
        tmp_path,
        "me",
        ("glb",),
        "unity",
        1024,
        "sides",
        False,
        False,
        MoreChoice(("dense", "light"), "dx", "full", "meshopt", True, 0.002),
    )
    told = export_settings(choice)
    plain = export_settings(ExportChoice(tmp_path, "me", ("glb",), "unity"))
    same = {
        f.name for f in dataclasses.fields(told) if getattr(told, f.name) == getattr(plain, f.name)
    }
    assert same == {"space", "animation"}  # the preset's own; a recording is chosen by file
