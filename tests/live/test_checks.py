"""What is refused of a tracked face, and what is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hrn_studio.errors import FaceCutError, FaceTooSmallError, FaceTurnedError, NoFaceError
from hrn_studio.live._checks import (
    MIN_FACE_PX,
    check_place,
    check_scatter,
    check_surface,
    confidence,
)
from hrn_studio.live._views import base_around
from hrn_studio.live.facemesh import LEFT_EYE, MIRROR, OVAL, RIGHT_EYE
from hrn_studio.records import Frame


def frame(width: int = 400, height: int = 400) -> Frame:
    return Frame(np.zeros((height, width, 3), np.uint8), name="me.png")


def face(size: float = 200, middle: tuple[float, float] = (200, 200)) -> np.ndarray:
    """(478, 3) points in a circle that faces the lens; left on the picture's right."""
    rng = np.random.default_rng(0)
    points = np.zeros((478, 3), np.float32)
    for i, j in enumerate(MIRROR):
        if i <= j:
            x, y = (0.0 if i == j else rng.uniform(0.1, 0.3)), rng.uniform(-0.3, 0.3)
            points[i], points[j] = (-x, y, 0), (x, y, 0)
    turn = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL), :2] = 0.5 * np.column_stack([-np.sin(turn), -np.cos(turn)])
    for eye, side in ((RIGHT_EYE, -1), (LEFT_EYE, 1)):
        lids = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        points[list(eye), 0] = side * (0.2 + 0.1 * np.cos(lids))
        points[list(eye), 1] = -0.1 - 0.02 * np.sin(lids)
    for i, j in enumerate(MIRROR):  # the pairs that tell the turn have their left on the left
        if points[i, 0] > points[j, 0] and i in (*RIGHT_EYE, *OVAL[1:18]):
            points[[i, j]] = points[[j, i]]
    return np.asarray(points * size + [*middle, 0], np.float32)


def test_a_good_face_passes() -> None:
    assert check_place(face(), frame()) == []


def test_a_small_face() -> None:
    with pytest.raises(FaceTooSmallError, match=r"me.png is only 90 px large"):
        check_place(face(90), frame())
    assert check_place(face(MIN_FACE_PX + 1), frame()) == []


def test_a_cut_face() -> None:
    assert check_place(face(middle=(102, 200)), frame()) == []
    noted = check_place(face(middle=(90, 200)), frame())
    assert noted == ["the edge of the face is outside the picture"]
    for middle in ((60, 200), (340, 200), (200, 60), (200, 340)):
        with pytest.raises(FaceCutError, match=r"me\.png is cut"):
            check_place(face(middle=middle), frame())


@pytest.mark.parametrize(("turn", "usable"), [(-50, True), (55, True), (65, False), (-80, False)])
def test_a_turned_face(turn: float, usable: bool) -> None:
    angle = np.radians(turn)
    points = face() - [200, 200, 0]
    turned = np.column_stack(
        [
            points[:, 0] * np.cos(angle) - points[:, 2] * np.sin(angle) + 200,
            points[:, 1] + 200,
            points[:, 0] * np.sin(angle) + points[:, 2] * np.cos(angle),
        ]
    ).astype(np.float32)
    if usable:
        assert check_place(turned, frame()) == []
    else:
        with pytest.raises(FaceTurnedError, match=f"turned {abs(turn)} degrees"):
            check_place(turned, frame())


def test_closed_eyes_are_noted() -> None:
    points = face()
    for eye in (RIGHT_EYE, LEFT_EYE):
        points[list(eye), 1] = points[eye[0], 1]
    assert check_place(points, frame()) == ["the eyes are closed"]


def surface(flat_share: float) -> list[str]:
    """The check on a face of noise of which a share is painted over."""
    noise = np.random.default_rng(0).integers(80, 200, (400, 400, 3), dtype=np.uint8)
    noise[: int(100 + 200 * flat_share)] = (150, 160, 90)
    shown = Frame(noise, name="me.png")
    points = face()
    points[list(OVAL), :2] = np.clip(points[list(OVAL), :2], 101, 299)
    return check_surface(base_around(noise, points), points, shown)


def test_even_colour_gives_drawings_and_covers_away() -> None:
    assert surface(0.0) == []
    assert surface(0.3) == ["something flat seems to cover a part of the face"]
    with pytest.raises(NoFaceError, match="mostly covered"):
        surface(0.55)
    with pytest.raises(NoFaceError, match="looks like a drawing"):
        surface(1.0)


def test_disagreement() -> None:
    def scatter(share: float) -> np.ndarray:
        return np.full(478, 200 * share, np.float32)

    assert check_scatter(scatter(0.004), 200, frame()) == []
    assert len(check_scatter(scatter(0.01), 200, frame())) == 1
    with pytest.raises(NoFaceError, match="cannot be followed"):
        check_scatter(scatter(0.02), 200, frame())
    assert confidence(scatter(0.003), 200) == pytest.approx(1)
    assert 0 < confidence(scatter(0.01), 200) < confidence(scatter(0.005), 200) < 1
    assert confidence(scatter(0.02), 200) == 0


def test_messages_are_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(FaceTooSmallError) as caught:
        check_place(face(50), frame())
    assert "; " in str(caught.value)
    assert "\n" not in str(caught.value)
