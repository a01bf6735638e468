"""A kept frame beside the live picture, to repeat its light and pose."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath

from hrn_studio.errors import StudioError
from hrn_studio.live.images import read_image
from hrn_studio.live.stream import LiveFace
from hrn_studio.session.state import Shot
from hrn_studio.ui import overlay, words
from hrn_studio.ui.options import Options
from hrn_studio.ui.pictures import qimage
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme


class Reference:
    """Paints the left part of the picture's pane from a kept frame."""

    def __init__(self, theme: Theme, studio: Studio) -> None:
        self._theme, self._studio = theme, studio
        self._key: tuple[object, ...] = ()
        self._image = QImage()

    def paint(
        self, painter: QPainter, area: QRectF, options: Options, live: LiveFace | None
    ) -> None:
        """The frame left of the line, and how the light differs."""
        shot = self._studio.session.shot(options.reference)
        if shot is None:
            return
        image = self._scaled(shot, area, options.mirror)
        painter.save()
        shown = QPainterPath()
        radius = float(self._theme.tokens.radius["pane"])
        shown.addRoundedRect(area, radius, radius)
        left = QPainterPath()
        left.addRect(QRectF(area.x(), area.y(), area.width() * options.wipe, area.height()))
        painter.setClipPath(shown & left)
        if not image.isNull():
            painter.drawImage(area, image)
        painter.restore()
        overlay.wipe_line(painter, self._theme, area, options.wipe, labels=False)
        overlay.pill(painter, self._theme, shot.name, area, "tl")
        overlay.pill(painter, self._theme, _difference(shot, live), area, "tr")

    def _scaled(self, shot: Shot, area: QRectF, mirror: bool) -> QImage:
        """The frame as the pane shows pictures, made once for each size."""
        key = (shot.id, area.width(), area.height(), mirror)
        if key == self._key:
            return self._image
        self._key, self._image = key, QImage()
        picture = self._studio.frames.picture(shot.id)
        if picture is None:
            return self._image
        try:
            image = qimage(read_image(picture).image)
        except StudioError as error:
            self._studio.log.add(str(error))
            return self._image
        if mirror:
            image = image.flipped(Qt.Orientation.Horizontal)
        size = area.size().toSize()
        fill = Qt.AspectRatioMode.KeepAspectRatioByExpanding
        image = image.scaled(size, fill, Qt.TransformationMode.SmoothTransformation)
        x, y = (image.width() - size.width()) // 2, (image.height() - size.height()) // 2
        self._image = image.copy(x, y, size.width(), size.height())
        return self._image


def _difference(shot: Shot, live: LiveFace | None) -> str:
    """How the live light differs from the frame's."""
    if live is None or live.face is None or "brightness" not in shot.measures:
        return "Now"
    now = {m.key: m.value for m in live.face.quality.measures}
    change = now["brightness"] - shot.measures["brightness"]
    if abs(change) < 0.015:
        return "Now: as bright"
    return f"Now: {words.number(abs(change), 2)} {'brighter' if change > 0 else 'darker'}"
