"""Networks that answer together: each counts as it is sure, and none is believed twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hrn_studio.errors import ModelDataError
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.live.ensemble import averaged
from hrn_studio.live.images import read_image
from hrn_studio.live.network import FaceNetwork, Sight, load_network
from hrn_studio.records import Frame, Track

SIZES = (2, 2, 1)
DEVIATIONS = np.array([0.5, 0.8, 0.9])


def answer(points: float, coefficient: float, sigma: float) -> np.ndarray:
    """Two landmarks, two identity coefficients, one expression, and three angles."""
    k, i, e = SIZES
    log = np.log(sigma)
    return np.concatenate(
        [
            *(np.full(2 * k, points), np.full(k, log)),
            *(np.full(i + e, coefficient), np.full(i + e, log), np.full(3, points)),
        ]
    )


def test_one_network_says_what_it_says() -> None:
    only = answer(0.3, 0.4, 0.2)
    np.testing.assert_array_equal(averaged([only], SIZES, DEVIATIONS), only)


def test_each_counts_by_the_inverse_of_its_variance() -> None:
    both = averaged([answer(0.0, 0.0, 0.1), answer(1.0, 1.0, 0.2)], SIZES, np.ones(3))
    np.testing.assert_allclose(both[:4], 0.2, err_msg="landmarks: 1 against 4 shares")
    np.testing.assert_allclose(both[6:9], 0.2, err_msg="coefficients")
    np.testing.assert_allclose(both[12:], 0.5, err_msg="angles have no deviations")


def test_networks_that_agree_are_no_surer_than_each() -> None:
    one = answer(0.3, 0.4, 0.2)
    both = averaged([one, one, one], SIZES, np.ones(3))
    np.testing.assert_allclose(both, one)
    measured = averaged([one, one], SIZES, DEVIATIONS)
    np.testing.assert_allclose(np.exp(measured[4:6]), 0.2 * 0.5)
    np.testing.assert_allclose(np.exp(measured[9:11]), 0.2 * 0.8)
    np.testing.assert_allclose(np.exp(measured[11]), 0.2 * 0.9)


def test_a_boast_without_bounds_does_not_silence_the_others() -> None:
    both = averaged([answer(0.0, 0.0, 1e-30), answer(1.0, 1.0, np.exp(-3))], SIZES, np.ones(3))
    assert both[6] == pytest.approx(0.5), "no coefficient is surer than exp(-3)"


@pytest.fixture(scope="module")
def arrays(resources: Path) -> dict[str, np.ndarray]:
    with np.load(resources / "network.npz") as file:
        return {name: file[name] for name in file.files}


def pair(arrays: dict[str, np.ndarray], path: Path, **changed: object) -> Path:
    """The network that ships, twice."""
    model = arrays["model"]
    several = {
        **{k: v for k, v in arrays.items() if k != "model"},
        "version": np.int64(2),
        "models": np.concatenate([model, model]),
        "ends": np.array([len(model), 2 * len(model)]),
        "deviations": DEVIATIONS,
    }
    np.savez(path, **{**several, **changed})
    return path


@pytest.fixture(scope="module")
def seen(stills: list[Path]) -> tuple[Frame, Track]:
    frame = read_image(stills[0], 0)
    height, width = frame.image.shape[:2]
    points = load_embedding().points(load_head().mean)
    scale = 0.5 * height / np.ptp(points[:, 1])
    placed = points[:, :2] * [scale, -scale] + [width / 2, height / 2]
    return frame, Track(placed, np.zeros(len(placed)))


def test_a_file_of_several_networks_is_asked_as_one(
    arrays: dict[str, np.ndarray], seen: tuple[Frame, Track], tmp_path: Path
) -> None:
    path = pair(arrays, tmp_path / "two.npz")

    def look(network: FaceNetwork) -> Sight:
        return network.see(*seen)

    alone, together = look(load_network()), look(load_network(path))
    np.testing.assert_allclose(together.points_px, alone.points_px, atol=1e-3)
    np.testing.assert_allclose(together.sigma_px, alone.sigma_px * 0.5, rtol=1e-4)
    np.testing.assert_allclose(together.estimate.identity, alone.estimate.identity, atol=1e-5)
    np.testing.assert_allclose(
        together.estimate.identity_sigma,
        np.maximum(alone.estimate.identity_sigma * 0.8, np.exp(-3)),
        rtol=1e-4,
    )
    first = look(load_network(path, members=1))
    np.testing.assert_allclose(first.sigma_px, alone.sigma_px, rtol=1e-5)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": np.int64(3)}, r"bad\.npz' has version 3, this program needs 1 or 2"),
        ({"ends": np.zeros(0, np.int64)}, r"bad\.npz' is damaged"),
        ({"ends": np.array([5, 5, 9])}, r"bad\.npz' is damaged"),
        ({"deviations": np.array([1.0, -1.0, 1.0])}, r"bad\.npz' is damaged"),
        ({"models": np.zeros(40, np.uint8), "ends": np.array([20, 40])}, r"bad\.npz' is damaged"),
    ],
)
def test_bad_files_are_named(
    arrays: dict[str, np.ndarray], tmp_path: Path, changed: dict[str, np.ndarray], said: str
) -> None:
    with pytest.raises(ModelDataError, match=said):
        load_network(pair(arrays, tmp_path / "bad.npz", **changed))
