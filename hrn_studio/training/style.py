"""Who the invented person is, as far as paint goes: age, colours, hair, beard, make-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.records import Floats

# Linear reflectance of hair, dark to fair, then red.
HAIR = np.array(
    [
        [0.010, 0.009, 0.009],
        [0.022, 0.015, 0.011],
        [0.045, 0.027, 0.017],
        [0.095, 0.055, 0.031],
        [0.235, 0.145, 0.083],
        [0.410, 0.283, 0.178],
        [0.190, 0.065, 0.025],
    ]
)
IRIS = np.array(
    [
        [0.045, 0.022, 0.010],
        [0.085, 0.045, 0.020],
        [0.150, 0.095, 0.040],
        [0.130, 0.140, 0.065],
        [0.130, 0.190, 0.210],
        [0.160, 0.220, 0.300],
        [0.230, 0.260, 0.270],
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """One person's colours and hair."""

    age: float
    """0 young adult .. 1 old."""
    feminine: bool
    melanin: float
    hair_color: Floats
    """(3,) linear."""
    brow_color: Floats
    """(3,) linear."""
    iris_color: Floats
    """(3,) linear."""
    brow_density: float
    beard: float
    """0 none, below 0.5 shaved, up to 1 full."""
    make_up: bool
    lash_length: float
    """Metres."""
    lash_density: float
    glasses: bool
    hair: str
    """``bald``, ``cropped``, ``short`` or ``long``."""


def draw_style(rng: np.random.Generator) -> Style:
    """A random person; fair hair and light eyes come with light skin more often."""
    age = float(rng.beta(1.3, 2.2))
    feminine = bool(rng.random() < 0.5)
    melanin = float(
        rng.choice(
            [rng.gamma(2.0, 0.12), rng.uniform(0.3, 1.1), rng.uniform(1, 2.6)], p=[0.4, 0.35, 0.25]
        )
    )
    light = melanin < 0.5
    hair = HAIR[
        rng.choice(
            7,
            p=[0.14, 0.2, 0.2, 0.18, 0.14, 0.06, 0.08]
            if light
            else [0.5, 0.28, 0.14, 0.05, 0.01, 0.01, 0.01],
        )
    ]
    hair = hair * np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.02, 3))
    grey = np.clip(rng.normal(1.8 * age - 0.95, 0.25), 0, 1)
    hair_color = (1 - grey) * hair + grey * np.array([0.33, 0.32, 0.31])
    brow = hair * rng.uniform(0.5, 1.0) * (1 - 0.5 * grey) + 0.5 * grey * np.array(
        [0.2, 0.18, 0.16]
    )
    iris = IRIS[
        rng.choice(
            7,
            p=[0.1, 0.17, 0.15, 0.13, 0.17, 0.16, 0.12]
            if light
            else [0.52, 0.33, 0.1, 0.02, 0.01, 0.01, 0.01],
        )
    ]
    beard = 0.0
    if not feminine and rng.random() < 0.75:
        beard = float(rng.choice([rng.uniform(0.08, 0.45), rng.uniform(0.5, 1.0)], p=[0.7, 0.3]))
    kinds = [0.01, 0.04, 0.3, 0.65] if feminine else [0.08, 0.2, 0.62, 0.1]
    make_up = bool(feminine and rng.random() < 0.5)
    return Style(
        age=age,
        feminine=feminine,
        melanin=melanin,
        hair_color=hair_color.astype(np.float32),
        brow_color=brow.astype(np.float32),
        iris_color=(iris * np.exp(rng.normal(0, 0.06, 3))).astype(np.float32),
        brow_density=float(np.clip(rng.normal(0.9 - 0.2 * age, 0.3), 0.15, 1.4)),
        beard=beard,
        make_up=make_up,
        lash_length=float(rng.uniform(0.004, 0.008) + 0.003 * make_up),
        lash_density=float(rng.uniform(0.25, 0.7) + 0.25 * make_up),
        glasses=bool(rng.random() < 0.1),
        hair=str(rng.choice(["bald", "cropped", "short", "long"], p=kinds)),
    )
