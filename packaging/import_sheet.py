"""Pictures of finished heads as Blender imports them, for a person to look through.

    python packaging/import_sheet.py RESULT_FOLDER... -o sheets

Each head is exported for Blender, imported there, and drawn neutral, from the side and in ten
expressions: one ``NAME.png`` for each. Blender is the one that ``packaging/test.sh --interop``
installs (``.interop`` in the checkout, or ``HRN_INTEROP``).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
COLUMNS, SIDE, CAPTION = 4, 420, 22
SIDES = ("Left", "Right")
"""The subject's."""


def both(**weights: float) -> dict[str, float]:
    """The same weight on both sides of the face."""
    return {f"{name}{side}": weight for name, weight in weights.items() for side in SIDES}


LOOKS: tuple[tuple[str, float, dict[str, float]], ...] = (
    ("neutral", 0, {}),
    ("neutral, from the subject's left", 40, {}),
    ("jaw open", 0, {"jawOpen": 1}),
    ("smile", 0, both(mouthSmile=1, cheekSquint=0.4)),
    ("blink, from the subject's right", -30, both(eyeBlink=1)),
    ("surprise", 0, {"browInnerUp": 1, "jawOpen": 0.4} | both(browOuterUp=1, eyeWide=1)),
    ("anger", 0, both(browDown=1, noseSneer=1)),
    ("pucker", 30, {"mouthPucker": 1}),
    ("puffed cheeks", 0, {"cheekPuff": 1}),
    ("tongue", 20, {"tongueOut": 1, "jawOpen": 0.3}),
    ("jaw open, lips closed", 0, {"jawOpen": 1, "mouthClose": 1}),
    ("frown, looking to the left", 0,
     both(mouthFrown=1) | {"eyeLookOutLeft": 1, "eyeLookInRight": 1}),
)  # fmt: skip
"""What it is called, from how many degrees to the subject's left, and the shapes."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULT_FOLDER")
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    blender = Path(os.environ.get("HRN_INTEROP", ROOT / ".interop")) / "python" / "bin" / "python"
    if not blender.is_file():
        print("Blender is not there; 'bash packaging/test.sh --interop' installs it")
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    for result in args.results:
        with TemporaryDirectory() as folder:
            print(sheet(blender, result, Path(folder), args.out))
    return 0


def sheet(blender: Path, result: Path, folder: Path, out: Path) -> Path:
    """One head's sheet; where it lies."""
    studio = [sys.executable, str(ROOT / "main.py"), "export", str(result)]
    subprocess.run([*studio, "--preset", "blender", "-o", str(folder / "head")], check=True)
    (model,) = (folder / "head").glob("*.glb")
    plan = {"size": SIDE, "looks": [{"yaw_deg": yaw, "weights": w} for _, yaw, w in LOOKS]}
    drawing = ROOT / "packaging" / "import_sheet_blender.py"
    subprocess.run([str(blender), str(drawing), str(model), str(folder), json.dumps(plan)],
                   check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    rows = -(-len(LOOKS) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * SIDE, rows * (SIDE + CAPTION)), (40, 42, 45))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for number, (title, _, _) in enumerate(LOOKS):
        x, y = number % COLUMNS * SIDE, number // COLUMNS * (SIDE + CAPTION)
        with Image.open(folder / f"{number}.png") as picture:
            page.paste(picture.convert("RGB"), (x, y))
        draw.text((x + 4, y + SIDE + 2), title, (220, 222, 224), font)
    path = out / f"{model.stem}.png"
    page.save(path)
    return path


if __name__ == "__main__":
    raise SystemExit(main())
