"""A kept frame beside the live picture, to repeat its light and pose."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from hrn_studio.errors import StudioError
from hrn_studio.live.images import read_image
from hrn_studio.live.stream import LiveFace
from hrn_studio.records import Bytes
from hrn_studio.render.panes import Pane
from hrn_studio.session.state import Shot
from hrn_studio.ui import overlay, words
from hrn_studio.ui.options import Options
from hrn_studio.ui.scenes import picture_place
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.viewport import Shown


class Reference:
    """Splits the picture's pane: a kept frame on the left, the live picture on the right."""

    def __init__(self, theme: Theme, studio: Studio) -> None:
        self._theme, self._studio = theme, studio
        self._read: tuple[str, Bytes | None] = ("", None)

    def beside(
        self, live: Shown, rect: QRectF, options: Options, face: LiveFace | None
    ) -> list[Shown]:
        """The two panes; the live one alone when the frame cannot be read."""
        shot = self._studio.session.shot(options.reference)
        image = self._image(shot) if shot is not None else None
        if shot is None or image is None:
            return [live]
        size = (image.shape[1], image.shape[0])
        place = picture_place(size, (rect.width(), rect.height()), options.fill)
        kept = Pane(live.pane.rect, image, place, mirrored=options.mirror)
        now = _difference(shot, face)

        def paint(painter: QPainter, _: QRectF) -> None:
            if live.overlay is not None:
                live.overlay(painter, rect)
            overlay.wipe_line(painter, self._theme, rect, options.wipe, labels=False)
            overlay.pill(painter, self._theme, shot.name, rect, "tl")
            overlay.pill(painter, self._theme, now, rect, "tr")

        share = options.wipe
        return [
            Shown("picture", _part(kept, 0.0, share), paint),
            Shown("picture", _part(live.pane, share, 1.0), paint),
        ]

    def _image(self, shot: Shot) -> Bytes | None:
        if self._read[0] != shot.id:
            picture = self._studio.frames.picture(shot.id)
            try:
                image = read_image(picture).image if picture is not None else None
            except StudioError as error:
                self._studio.log.add(str(error))
                image = None
            self._read = (shot.id, image)
        return self._read[1]


def _part(pane: Pane, start: float, end: float) -> Pane:
    """The part of a pane between two shares of its width."""
    x, y, width, height = pane.rect
    left, right = round(width * start), round(width * end)
    scale, across, down = pane.place
    shift = width - right if pane.mirrored else left
    return dataclasses.replace(
        pane,
        rect=(x + left, y, right - left, height),
        place=(scale, across - shift, down),
        rounded=False,
    )


def _difference(shot: Shot, live: LiveFace | None) -> str:
    """How the live light differs from the frame's."""
    if live is None or live.face is None or "brightness" not in shot.measures:
        return "Now"
    now = {m.key: m.value for m in live.face.quality.measures}
    change = now["brightness"] - shot.measures["brightness"]
    if abs(change) < 0.015:
        return "Now: as bright"
    return f"Now: {words.number(abs(change), 2)} {'brighter' if change > 0 else 'darker'}"
