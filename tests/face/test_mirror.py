"""Coefficients of mirrored heads."""

from __future__ import annotations

import numpy as np

from hrn_studio.face.mirror import mirror_expressions, mirror_signs, other_side
from hrn_studio.face.model import load_head
from hrn_studio.records import Coefficients


def test_a_mirrored_head_is_the_head_of_mirrored_coefficients():
    head, rng = load_head(), np.random.default_rng(2)
    face = Coefficients(
        rng.normal(0, 1, head.identity_count).astype(np.float32),
        rng.uniform(0, 0.5, head.expression_count).astype(np.float32),
    )
    other = Coefficients(
        face.identity * mirror_signs(head), face.expression[mirror_expressions(head)]
    )
    skin = head.part_vertices("skin")
    image = head.evaluate(face)[head.symmetry] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(head.evaluate(other)[skin], image[skin], atol=5e-4)


def test_sides_change_places():
    assert other_side("mouthSmileLeft") == "mouthSmileRight"
    assert other_side("jawLeft") == "jawRight"
    assert other_side("jawOpen") == "jawOpen"
