"""What a mirrored picture does to a head's coefficients."""

from __future__ import annotations

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.records import Floats, Ints


def mirror_signs(head: HeadModel) -> Floats:
    """(I,) +1 for symmetric, -1 for antisymmetric identity components."""
    image = head.identity[:, head.symmetry] * np.array([-1, 1, 1], np.float32)
    return np.asarray(np.sign((image * head.identity).sum((1, 2))), np.float32)


def mirror_expressions(head: HeadModel) -> Ints:
    """(E,) the expression that takes each one's place."""
    names = head.expression_names
    return np.array([names.index(other_side(name)) for name in names], np.int32)


def other_side(name: str) -> str:
    """The expression's name with left and right exchanged."""
    for a, b in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(a):
            return name.removesuffix(a) + b
    return name
