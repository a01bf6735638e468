"""Other heads: what the tracker sees on them, and what they take over from the default head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio import paths
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.face import headarrays
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.face.tiny import tiny_head
from hrn_studio.face.transfer import (
    carried_landmarks,
    correspond,
    dressed,
    identity_map,
)
from hrn_studio.geometry.transforms import similarity
from hrn_studio.live import facemesh
from hrn_studio.live.regression import load_maps
from hrn_studio.models import heads
from hrn_studio.models.engines import ENGINES
from hrn_studio.records import Coefficients

NONE = np.zeros(0, np.float32)


@pytest.fixture(scope="module")
def default():
    return load_head()


@pytest.fixture(scope="module")
def embedding():
    return load_embedding()


@pytest.fixture(scope="module")
def identity(default):
    values = np.zeros(default.identity_count, np.float32)
    values[:20] = np.random.default_rng(8).normal(0, 0.8, 20)
    return values


@pytest.fixture(scope="module")
def other(default, identity):
    """Another person's head without tongue and teeth, with its own triangles and few shapes."""
    mean = 1.06 * default.evaluate(Coefficients(identity, NONE))
    kept = default.part_triangles("skin", "eye_left", "eye_right")
    parts = default.triangle_part[kept]
    triangles, uv_triangles = default.triangles[kept], default.uv_triangles[kept]
    middle = np.arange(len(triangles)) + default.vertex_count
    uv_middle = np.arange(len(triangles)) + len(default.uv)

    def finer(corners, new):  # a vertex in the middle of every triangle
        return np.concatenate([np.c_[corners[:, [k, (k + 1) % 3]], new] for k in range(3)])

    def more(values):
        return np.concatenate([values, values[..., triangles, :].mean(-2)], axis=-2)

    order = np.random.default_rng(0).permutation(3 * len(triangles))
    names = ("jawOpen", "eyeBlinkLeft", "mouthSmileLeft", "mouthSmileRight")
    own = [default.expression_names.index(name) for name in names]
    # Eyeballs must stay one run of vertices: theirs are not cut.
    eyes = np.isin(parts, [default.part_names.index(f"eye_{s}") for s in ("left", "right")])
    cut = np.concatenate([~eyes] * 3)
    cut_triangles = finer(triangles, middle)[cut][order[order < cut.sum()]]
    cut_uv = finer(uv_triangles, uv_middle)[cut][order[order < cut.sum()]]
    cut_parts = np.zeros(len(cut_triangles), np.uint8)
    eye_parts = np.where(parts[eyes] == parts[eyes].min(), 1, 2)
    shapes = 1.06 * default.expression[own]
    return replace(
        default,
        name="other",
        mean=more(mean),
        identity=1.06 * more(default.identity[:30]),
        expression=more(shapes),
        expression_names=tuple(sorted(names)),
        triangles=np.concatenate([cut_triangles, triangles[eyes]]),
        uv=np.concatenate([default.uv, default.uv[uv_triangles].mean(1)]),
        uv_triangles=np.concatenate([cut_uv, uv_triangles[eyes]]),
        part_names=("skin", "eye_left", "eye_right"),
        triangle_part=np.concatenate([cut_parts, eye_parts]).astype(np.uint8),
        regions={},
        symmetry=headarrays.mirror_of(more(mean)),
        eyes=tuple(
            replace(
                eye,
                center=1.06 * (eye.center + identity @ eye.center_identity),
                center_identity=1.06 * eye.center_identity[:30],
                radius=1.06 * eye.radius,
            )
            for eye in default.eyes
        ),
    )


@pytest.fixture(scope="module")
def seen(default, embedding, identity):
    """Where the landmarks really are on it, with a little error."""
    points = 1.06 * embedding.points(default.evaluate(Coefficients(identity, NONE)))
    return points + np.random.default_rng(1).normal(0, 0.0005, points.shape)


@pytest.fixture(scope="module")
def places(other, default, embedding, seen):
    return correspond(other, default, embedding, seen)


def test_the_tracker_recognises_a_grey_head(default, embedding):
    found = heads.seen_points(default, embedding)
    gap = np.linalg.norm(found - embedding.points(default.mean), axis=1)
    assert np.isnan(found[list(facemesh.LEFT_BROW)]).all()
    assert np.nanmedian(gap) < 0.003
    with pytest.raises(ModelDataError, match="sees no face"):
        heads.seen_points(tiny_head(), embedding)


def test_landmarks_and_regions_are_carried(other, default, embedding, identity, places):
    ready = dressed(other, default, places)
    landmarks = carried_landmarks(ready, default, embedding, places)
    truth = 1.06 * embedding.points(default.evaluate(Coefficients(identity, NONE)))
    gap = np.linalg.norm(landmarks.points(ready.mean) - truth, axis=1)[embedding.usable]
    assert np.median(gap) < 0.001
    assert np.percentile(gap, 95) < 0.004
    np.testing.assert_array_equal(landmarks.corners, ready.triangles[landmarks.triangles])
    irises = [*facemesh.LEFT_IRIS, *facemesh.RIGHT_IRIS]
    eyes = np.isin(ready.triangle_part[landmarks.triangles[irises]], [1, 2])
    assert eyes.all()
    count = default.vertex_count
    for name in ("face", "lips", "ears", "forehead"):
        skin = default.part_vertices("skin")
        error = np.abs(ready.regions[name][:count] - default.regions[name])[skin]
        assert error.mean() < 0.06, name
    eye = ready.eyes[0].vertices
    assert ready.regions["iris"][eye].any()
    assert not (ready.regions["iris"][eye] * ready.regions["sclera"][eye]).any()


def test_missing_shapes_are_taken_over_and_own_ones_kept(other, default, places):
    ready = dressed(other, default, places)
    assert ready.expression_names == tuple(sorted(ready.expression_names))
    assert set(ready.expression_names) == set(default.expression_names)
    mine = dict(zip(other.expression_names, other.expression, strict=True))
    shapes = dict(zip(ready.expression_names, ready.expression, strict=True))
    np.testing.assert_array_equal(shapes["jawOpen"], mine["jawOpen"])
    skin = default.part_vertices("skin")
    for name in ("browInnerUp", "mouthPucker", "cheekPuff"):
        truth = 1.06 * default.expression[default.expression_names.index(name)][skin]
        found = shapes[name][: default.vertex_count][skin]
        moving = np.linalg.norm(truth, axis=1) > 0.002
        error = np.linalg.norm(found - truth, axis=1)[moving]
        assert error.mean() < 0.25 * np.linalg.norm(truth[moving], axis=1).mean(), name


def test_identities_are_translated(other, default, identity, places):
    matrix, start, sigma = identity_map(other, default, places)
    rng = np.random.default_rng(3)
    person = np.zeros(default.identity_count)
    person[:15] = rng.normal(0, 1, 15)
    found = start + matrix @ person
    truth = default.evaluate(Coefficients(person.astype(np.float32), NONE))
    guess = other.evaluate(Coefficients(found.astype(np.float32), NONE))[: default.vertex_count]
    face = default.regions["face"] > 0.5
    s, R, t = similarity(guess[face], truth[face])
    after = np.linalg.norm(s * guess[face] @ R.T + t - truth[face], axis=1).mean()
    s, R, t = similarity(other.mean[: default.vertex_count][face], truth[face])
    unmoved = s * other.mean[: default.vertex_count][face] @ R.T + t
    before = np.linalg.norm(unmoved - truth[face], axis=1).mean()
    assert after < 0.5 * before
    assert after < 0.001
    assert (sigma <= 1 + 1e-9).all()
    maps = load_maps()
    ready = dressed(other, default, places)
    translated = heads.translated_maps(maps, default, ready, matrix, start, sigma)
    values = maps.mean + 0.5 * maps.deviation
    mine, theirs = maps.apply(values), translated.apply(values)
    full = np.zeros(matrix.shape[1])
    full[: len(mine.identity)] = mine.identity
    np.testing.assert_allclose(theirs.identity, start + matrix @ full, atol=1e-3)
    np.testing.assert_allclose(theirs.expression, mine.expression, atol=1e-6)


def test_a_head_seen_too_little_is_refused(other, default, embedding):
    with pytest.raises(ModelDataError, match="recognises too little"):
        correspond(other, default, embedding, np.full((478, 3), np.nan))


def test_a_head_is_chosen_by_name(other, default, embedding, places):
    head, landmarks, _ = heads.load_chosen("default")
    assert head.name == default.name
    assert len(landmarks.triangles) == len(embedding.triangles)
    with pytest.raises(UsageError, match="choose one of default, ict, flame"):
        heads.load_chosen("smpl")
    with pytest.raises(ModelDataError, match=r"the head ict needs generic_neutral_mesh\.obj"):
        heads.load_chosen("ict")
    folder = paths.user_models_dir() / "ict"
    folder.mkdir(parents=True)
    ready = dressed(other, default, places)
    headarrays.save(ready, folder / "ict.npz")
    heads.save_embedding(
        carried_landmarks(ready, default, embedding, places), folder / "ict_landmarks.npz"
    )
    matrix, start, sigma = identity_map(ready, default, places)
    np.savez(folder / "ict_places.npz", matrix=matrix, start=start, sigma=sigma)
    head, landmarks, maps = heads.load_chosen("ict")
    assert head.name == "other"
    assert maps.identity_count == head.identity_count
    (folder / "ict_places.npz").write_bytes(b"")
    with pytest.raises(ModelDataError, match="the head ict is damaged"):
        heads.load_chosen("ict")
    assert heads.head_reason("default") is None
    assert "studio" in ENGINES
