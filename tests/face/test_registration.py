"""Bending one surface onto another with other vertices."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.face.registration import Pairs, Surface, register, turned_over


def grid(count, shift=0.0):
    """A square of 20 cm with ``count`` vertices a side, flat, facing +z."""
    steps = np.linspace(-0.1, 0.1, count)
    x, y = (v.ravel() for v in np.meshgrid(steps, -steps))
    i = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    first = np.stack([i, i + count, i + 1], 1)
    second = np.stack([i + 1, i + count, i + count + 1], 1)
    triangles = np.concatenate([first, second]).astype(np.int32)
    return np.stack([x + shift, y, np.zeros_like(x)], 1), triangles


def hill(points, height=0.008):
    x, y = points[:, 0], points[:, 1]
    return height * np.exp(-(x**2 + (y - 0.02) ** 2) / 0.03**2)


@pytest.fixture
def target():
    vertices, triangles = grid(61)
    vertices[:, 2] = hill(vertices)
    return Surface(vertices, triangles)


def test_the_closest_point_lies_on_the_surface():
    vertices, triangles = grid(21)
    points, normals, inside = Surface(vertices, triangles).closest(
        np.array([[0.0032, 0.0017, 0.02], [0.3, 0, 0]])
    )
    np.testing.assert_allclose(points[0], [0.0032, 0.0017, 0], atol=1e-12)
    np.testing.assert_allclose(normals[0], [0, 0, 1], atol=1e-12)
    assert inside.tolist() == [True, False]


def test_a_surface_is_bent_onto_another(target):
    vertices, triangles = grid(30)
    moved = register(vertices, triangles, np.ones(len(vertices)), target)
    after = vertices + moved
    inner = np.abs(vertices[:, :2]).max(1) < 0.085
    assert np.abs(after[inner, 2] - hill(after[inner])).max() < 4e-4
    assert turned_over(vertices, after, triangles) == 0


def test_what_has_no_weight_follows_smoothly(target):
    vertices, triangles = grid(30)
    weights = (vertices[:, 0] < 0.0).astype(float)
    moved = register(vertices, triangles, weights, target)
    assert np.abs(np.diff(moved.reshape(30, 30, 3), axis=1)).max() < 0.004
    assert np.linalg.norm(moved[weights == 0], axis=1).max() < 0.012


def test_pairs_lead_along_the_surface(target):
    vertices, triangles = grid(30)
    shift = np.array([0.004, -0.002, 0.0])
    corners = triangles[::40]
    centres = vertices[corners].mean(1) + shift
    centres[:, 2] = hill(centres)
    pairs = Pairs(corners, np.full((len(corners), 3), 1 / 3), centres)
    moved = register(vertices, triangles, np.ones(len(vertices)), target, pairs)
    inner = np.abs(vertices[:, :2]).max(1) < 0.07
    np.testing.assert_allclose(moved[inner].mean(0)[:2], shift[:2], atol=8e-4)


def test_the_back_of_a_surface_is_not_taken_for_its_front():
    vertices, triangles = grid(30)
    behind, other = grid(61)
    behind[:, 2] -= 0.003
    surface = Surface(behind, other[:, ::-1])
    moved = register(vertices, triangles, np.ones(len(vertices)), surface)
    assert np.abs(moved).max() < 1e-9


def test_triangles_that_turn_over_are_counted():
    vertices, triangles = grid(3)
    assert turned_over(vertices, vertices * [-1, 1, 1], triangles) == 1
