"""The model card: what a network was trained on, how well it does, and for whom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from hrn_studio.errors import UsageError
from hrn_studio.training.checkpoint import read_checkpoint
from hrn_studio.training.measure import Report
from hrn_studio.training.targets import Layout

BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
_COLUMNS = (
    ("points_mm", "landmarks mm", 2),
    ("shape_mm", "shape mm", 2),
    ("expression_mm", "expressions mm", 2),
    ("angle_deg", "angles °", 1),
    ("points_calibration", "landmarks' error / stated", 2),
    ("identity_calibration", "identity's error / stated", 2),
)


def write_card(text: str, path: Path) -> None:
    """Put a card's figures between the markers of a file.

    Raises
    ------
    UsageError
        The file is missing or lacks the markers.
    """
    try:
        before, rest = path.read_text("utf-8").split(BEGIN, 1)
        after = rest.split(END, 1)[1]
    except (OSError, ValueError, IndexError) as error:
        raise UsageError(
            f"'{path}' cannot be read or lacks the lines '{BEGIN}' and '{END}', between which the "
            "figures go; give docs/model-card.md"
        ) from error
    partial = path.with_suffix(".partial")
    partial.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")
    partial.replace(path)


def card(report: Report, training: Sequence[str] = ()) -> str:
    """The figures in Markdown.

    Parameters
    ----------
    training
        Sentences about how the network came about; see :func:`told_by`.
    """
    every, nothing = report.everything, report.baseline
    lines = [
        *(f"- {sentence}" for sentence in training),
        f"- File: {report.megabytes:.1f} MB, {report.landmarks} landmarks.",
        "",
        f"Measured on {report.pictures} renders (seed {report.seed}) of people that training never "
        "saw; crops placed by the true landmarks.",
        "",
        "| | network | knowing nothing |",
        "|---|---|---|",
        *(
            f"| {name} | {every[key]:.{digits}f} | {nothing[key]:.{digits}f} |"
            for key, name, digits in _COLUMNS[:4]
        ),
        f"| a picture and its mirror image differ by (landmarks mm) | "
        f"{every['mirror_points_mm']:.2f} | |",
        f"| ... (shape mm) | {every['mirror_shape_mm']:.2f} | |",
        f"| landmarks within the stated 68 % | {100 * every['points_68']:.0f} % | |",
        f"| landmarks within the stated 95 % | {100 * every['points_95']:.0f} % | |",
        f"| identity within the stated 68 % | {100 * every['identity_68']:.0f} % | |",
        "",
        *_by_group(report),
        "",
        f"Worst against all: {worst(report)}.",
    ]
    return "\n".join(lines)


def _by_group(report: Report) -> list[str]:
    header = " | ".join(name for _, name, _ in _COLUMNS)
    lines = [f"| | pictures | {header} |", "|---" * (len(_COLUMNS) + 2) + "|"]
    for title, parts in report.groups.items():
        for name, figures in parts.items():
            cells = [f"{figures[key]:.{digits}f}" for key, _, digits in _COLUMNS]
            cells[1] += f" ± {1.96 * figures['shape_mm_error']:.2f}"
            lines.append(f"| {title}: {name} | {figures['pictures']:.0f} | {' | '.join(cells)} |")
    return lines


def worst(report: Report) -> str:
    """The group with the largest error of shape against all pictures'; those of 20 and more."""
    shares = [
        (figures["shape_mm"] / max(report.everything["shape_mm"], 1e-9), f"{title}, {name}")
        for title, parts in report.groups.items()
        for name, figures in parts.items()
        if figures["pictures"] >= 20
    ]
    if not shares:
        return "no group has 20 pictures"
    share, name = max(shares)
    return f"{name}, {share:.2f} times the error of shape"


def told_by(checkpoint: Path) -> list[str]:
    """What a checkpoint says of its training.

    Raises
    ------
    ModelDataError
        It is missing, damaged or of another version.
    """
    state = read_checkpoint(checkpoint)
    plan = json.loads(state["plan"])
    layout = Layout(state["vertices"].numpy(), 0, 0)
    told = []
    if "restored" in state:
        source = json.loads(state["restored"])["network"]
        told.append(
            f"Begun from the network '{source}' as it shipped, with a fresh optimiser; its own "
            "card tells of what came before."
        )
    if state["step"] or not told:
        told.append(
            f"Trained for {state['step']} steps of {plan['batch']} renders (highest learning rate "
            f"{plan['rate']:g}, seed {plan['seed']})."
        )
    told.append(f"Network '{plan['kind']}', {len(layout.vertices)} landmarks.")
    if "refined" in state:
        about = json.loads(state["refined"])
        told.append(
            f"Refined without ground truth for {about['steps']} steps on {about['pictures']} "
            f"pictures (people: {about['people']})."
        )
    return told
