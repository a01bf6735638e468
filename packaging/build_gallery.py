"""Reconstruct invented people and show what comes out, good and bad: docs/gallery.md.

    python packaging/build_gallery.py [--only NAME ...]

Takes the demo's stills and draws some more people, reconstructs them as the program does, writes
docs/images/NAME.jpg, docs/images/result.png for the README, and docs/gallery.md with the distance
of each head from the true one.  The words in ``CASES`` say what is to be seen; read them again
when the pictures have changed.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hrn_studio import paths  # noqa: E402
from hrn_studio.errors import StudioError  # noqa: E402
from hrn_studio.export.folder import write_folder  # noqa: E402
from hrn_studio.face.model import HeadModel  # noqa: E402
from hrn_studio.geometry.transforms import rigid, rotation_from_angles, similarity  # noqa: E402
from hrn_studio.pipeline import Models, finish, read_pictures, reconstruct  # noqa: E402
from hrn_studio.preview import CAPTION, CELL, GAP, make_preview  # noqa: E402
from hrn_studio.records import (  # noqa: E402
    AnyFloats,
    Bytes,
    Camera,
    Coefficients,
    Floats,
    Frame,
    Reconstruction,
)
from hrn_studio.training.light import Lamp, Light  # noqa: E402
from hrn_studio.training.render import draw_person, picture  # noqa: E402
from hrn_studio.training.stage import make_stage  # noqa: E402
from hrn_studio.training.style import draw_style  # noqa: E402

SHEET_PX = 1600
"""Width of a sheet in the gallery."""
RESULT_PX = 1280
RESULT_CELLS = ((0, 0), (0, 1), (1, 1), (0, 3))
"""Rows and columns of the preview that make the README's picture."""


@dataclass(frozen=True, slots=True)
class Case:
    """One sheet of the gallery."""

    name: str
    title: str
    good: str
    bad: str
    demo: tuple[str, ...] = ()
    """Stills of the demo; else a person is drawn."""
    seed: int = 0
    yaw_deg: float = 0.0
    hard_light: bool = False
    glasses: bool = False
    expression: dict[str, float] = field(default_factory=dict)


SMILE = {
    "mouthSmileLeft": 0.85,
    "mouthSmileRight": 0.85,
    "mouthUpperUpLeft": 0.35,
    "mouthUpperUpRight": 0.35,
    "cheekSquintLeft": 0.6,
    "cheekSquintRight": 0.6,
    "jawOpen": 0.12,
}

CASES = (
    Case(
        "five",
        "Five pictures of one person",
        "lips, lids, nose, brows and outline lie on the picture; both sides of the head carry "
        "skin that was seen, without a seam down the middle.",
        "no closer to the truth than the front picture alone, which is a lucky one: turned faces "
        "say less of the shape; faint patches on cheek and neck, where one picture takes over "
        "from another.",
        demo=("1_front", "2_left", "3_right", "4_up", "5_down"),
    ),
    Case(
        "one",
        "One picture of the same person",
        "from the front hard to tell from the picture.",
        "ears, neck and the sides of the head are made up; the tip of the nose is too sharp in "
        "profile; a dark blot is left under the jaw.",
        demo=("1_front",),
    ),
    Case(
        "dark",
        "Dark skin, one picture",
        "the shine on forehead and cheeks is gone, and the picture's red cast with it; the whites "
        "of the eyes tell how dark the skin is.",
        "how dark exactly stays a guess, and the head is a little too wide at the jaw.",
        seed=13,
    ),
    Case(
        "hair",
        "Long hair",
        "neither the hairs over the forehead nor those beside the cheeks got into the texture; "
        "outline, brows and lips lie on the picture.",
        "what is under the hair, and the ears, is a guess in shape and colour; brows lose some of "
        "their hairs.",
        seed=7,
    ),
    Case(
        "turned",
        "A face turned 40 degrees",
        "the cheek, the eye and the outline that were seen lie where they should; the other side "
        "was completed without a seam.",
        "one turned picture says little of the shape; the far half of the nose and lips is the "
        "near half's mirror image.",
        seed=11,
        yaw_deg=40,
    ),
    Case(
        "smile",
        "A wide smile",
        "the smile was found, the lips part as in the picture and lie on it, and the folds beside "
        "the mouth became relief.",
        "smaller than the smile in the picture; hairs of the beard stay as dark strokes where the "
        "picture was sharp, and end where nobody saw the cheek.",
        seed=10,
        expression=SMILE,
    ),
    Case(
        "side_light",
        "One bare lamp from the side",
        "the features lie on the picture all the same, and both halves came out equally bright.",
        "grey-green patches stay beside nose and mouth where the nose's shadow ended, a reddish "
        "one on the forehead, and the lips are flat.  "
        "Take such a picture again in softer light.",
        seed=16,
        hard_light=True,
    ),
    Case(
        "glasses",
        "Glasses and a beard",
        "the frame is gone from the texture, and the beard stayed as colour.",
        "the brows are broken where the frame crossed them, and bits of it are left at their "
        "ends; the skull is higher than the true one, since no landmark lies up there.",
        seed=9,
        glasses=True,
    ),
)

INTRO = """# Gallery

Everybody here is invented: heads drawn at random from the project's own head model, painted and
photographed by its own renderer (`hrn_studio/training`), so everybody may be shown and the true
head is known.  That makes it easy ground: the fitted head is of the same family as the true one,
and the learned maps were trained on pictures of this kind.  Photographs of real people are harder;
[accuracy.md](accuracy.md) has the figures for those.

Each sheet shows, above, the picture, the fitted head over it and the textured head; below, clay
from three sides and the textured profile.  Hair is not reconstructed.  Made by
`python packaging/build_gallery.py`; nothing was retouched, and the failures were left in.

The distance is the median over the face between fitted and true points of the skin, after the
heads are laid on each other (similarity), with the head nobody was fitted to beside it.

| sheet | pictures | fitted, mm | average head, mm |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Pictures of somebody, and the truth."""

    frames: tuple[Frame, ...]
    vertices: Floats
    """(V, 3) true head with the expression of the first picture, head frame."""


def main() -> None:
    """Make the sheets asked for, and the page when that is all of them."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", nargs="+", choices=[case.name for case in CASES], default=[])
    options.add_argument("--out", type=Path, default=ROOT / "docs")
    chosen = options.parse_args()
    models = Models.load()
    images: dict[str, bytes] = {}
    rows, parts = [], []
    for case in CASES:
        if chosen.only and case.name not in chosen.only:
            continue
        subject = demo_subject(models.head, case) if case.demo else drawn_subject(models.head, case)
        try:
            made = finish(reconstruct(models, subject.frames))
        except StudioError as error:
            raise SystemExit(f"{case.name}: {error}") from error
        sheet = make_preview(made, models.head)
        images[f"{case.name}.jpg"] = as_jpeg(sheet, SHEET_PX)
        if case.name == "five":
            images["result.png"] = as_png(strip(sheet))
        fitted, average = distances(models.head, made, subject.vertices)
        rows.append(f"| {case.title} | {len(subject.frames)} | {fitted:.1f} | {average:.1f} |")
        parts.append(section(case))
        notes = [*made.notes, *(r.reason for r in made.reports if r.reason)]
        print(rows[-1], *notes, sep="\n  ", flush=True)
    models.close()
    write_folder(chosen.out / "images", images)
    if not chosen.only:
        page = INTRO + "\n".join(rows) + "\n\n" + "\n".join(parts)
        write_folder(chosen.out, {"gallery.md": page.encode()})
    for name, content in images.items():
        print(f"{name}: {len(content) / 1024:.0f} KB")


def section(case: Case) -> str:
    """A sheet with its words, in Markdown."""
    return (
        f"## {case.title}\n\n![{case.title}](images/{case.name}.jpg)\n\n"
        f"*Good:* {case.good}  \n*Not good:* {case.bad}\n"
    )


def demo_subject(head: HeadModel, case: Case) -> Subject:
    """Stills of the demo."""
    folder = paths.resources() / "demo"
    truth = json.loads((folder / "demo.json").read_text())
    frames = read_pictures(folder / f"{name}.jpg" for name in case.demo).frames
    first = next(s for s in truth["stills"] if s["file"] == f"{case.demo[0]}.jpg")
    coefficients = Coefficients(
        np.array(truth["person"]["identity"], np.float32),
        head.weights(first["expression"]),
        np.array(first["gaze"], np.float32),
    )
    return Subject(frames, head.evaluate(coefficients))


def drawn_subject(head: HeadModel, case: Case) -> Subject:
    """Somebody drawn at random, in a quiet room, 60 cm before a webcam."""
    rng = np.random.default_rng(case.seed)
    stage = make_stage(head, columns=1024)
    style = replace(draw_style(rng), glasses=case.glasses)
    person = draw_person(rng, stage, style)
    identity = np.clip(rng.normal(0, 0.9, head.identity_count), -2, 2).astype(np.float32)
    coefficients = Coefficients(identity, head.weights(case.expression))
    camera = Camera.from_hfov(1280, 720, 60)
    turned = rotation_from_angles(np.radians(case.yaw_deg), 0.0, 0.0)
    shown = picture(
        stage,
        np.random.default_rng(case.seed),
        person,
        coefficients,
        rigid(turned, np.array([0.0, 0.0, 0.5])),
        camera,
        lights=one_lamp() if case.hard_light else soft_light(),
        backdrop=wall(camera),
        flaws=0.3,
        detail=2.0,
    )
    return Subject((Frame(shown.image, name=case.name),), head.evaluate(coefficients))


def soft_light() -> Light:
    """A bright room and a window on one side."""
    ambient = np.zeros((9, 3), np.float32)
    ambient[0] = 1.45
    ambient[1] = ambient[2] = -0.4
    return Light(ambient, (Lamp(towards(-38, 25), np.full(3, 0.75, np.float32), 0.9),))


def one_lamp() -> Light:
    """Little light but that of one bare bulb, far to the side."""
    ambient = np.zeros((9, 3), np.float32)
    ambient[0] = 0.35
    return Light(ambient, (Lamp(towards(70, 15), np.array([2.0, 1.8, 1.5], np.float32), 0.1),))


def towards(azimuth_deg: float, elevation_deg: float) -> Floats:
    """(3,) direction to a lamp, camera frame."""
    a, e = np.radians(azimuth_deg), np.radians(elevation_deg)
    return np.array([np.sin(a) * np.cos(e), -np.sin(e), -np.cos(a) * np.cos(e)], np.float32)


def wall(camera: Camera) -> Floats:
    """(H, W, 3) a grey wall, lighter towards one side; linear."""
    across = np.linspace(0.42, 0.2, camera.width, dtype=np.float32)
    shade = np.broadcast_to(across[:, None], (camera.height, camera.width, 1))
    return np.asarray(shade * np.array([0.95, 1.0, 1.05]), np.float32)


def distances(head: HeadModel, made: Reconstruction, true: AnyFloats) -> tuple[float, float]:
    """Median distance from the true face, mm, of the fitted head and of the average one."""
    face = head.regions["face"] > 0.5
    found = []
    for vertices in (made.views[0].vertices, head.mean):
        scale, R, t = similarity(vertices[face], true[face])
        off = scale * vertices[face] @ R.T + t - true[face]
        found.append(float(np.median(np.linalg.norm(off, axis=1))) * 1000)
    return found[0], found[1]


def strip(sheet: Bytes) -> Bytes:
    """The README's picture: some cells of the preview side by side, without captions."""
    return np.concatenate(cells(sheet, RESULT_CELLS), axis=1)


def cells(sheet: Bytes, places: Sequence[tuple[int, int]]) -> list[Bytes]:
    """Cells of a preview sheet by row and column."""
    width, height = CELL
    found = []
    for row, column in places:
        x, y = GAP + column * (width + GAP), GAP + row * (height + CAPTION + GAP)
        found.append(sheet[y : y + height, x : x + width])
    return found


def as_jpeg(image: Bytes, width: int) -> bytes:
    """A smaller copy for a page."""
    file = io.BytesIO()
    smaller(image, width).save(file, "JPEG", quality=84, optimize=True, progressive=True)
    return file.getvalue()


def as_png(image: Bytes) -> bytes:
    """The same without loss."""
    file = io.BytesIO()
    smaller(image, RESULT_PX).save(file, "PNG", optimize=True)
    return file.getvalue()


def smaller(image: Bytes, width: int) -> Image.Image:
    """Scaled to a width."""
    height = round(image.shape[0] * width / image.shape[1])
    return Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
