"""The learned maps and the face network together."""

import numpy as np
import pytest

from hrn_studio import paths
from hrn_studio.errors import UsageError
from hrn_studio.live.cameras import camera_for
from hrn_studio.live.estimator import Shares, StudioEstimator, blended, load_estimator
from hrn_studio.live.images import read_image
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.pipeline import Models
from hrn_studio.records import Estimate


def estimate(identity, sigma, expression):
    return Estimate(
        np.array(identity), np.array(sigma), np.array(expression), np.ones(len(expression))
    )


def test_what_one_lacks_counts_as_average():
    maps = estimate([1.0, -1.0], [0.5, 0.5], [0.2])
    network = estimate([0.0, 1.0, 2.0], [0.3, 0.3, 0.6], [0.8])
    both = blended(maps, network, Shares(identity=0.5, expression=0.25))
    np.testing.assert_allclose(both.identity, [0.5, 0.0, 1.0])
    np.testing.assert_allclose(both.identity_sigma, [0.4, 0.4, 0.8])
    np.testing.assert_allclose(both.expression, [0.35])


def test_the_network_looks_where_the_tracker_points():
    frame = read_image(paths.resources() / "demo" / "1_front.jpg")
    with MediaPipeTracker("still") as tracker:
        track = tracker.track(frame)
    estimator = load_estimator(network=True)
    camera = camera_for(frame)
    seen = estimator.see(frame, track, camera)
    assert seen.sight is not None
    low, high = track.points_px.min(0), track.points_px.max(0)
    inside = (seen.sight.points_px > low) & (seen.sight.points_px < high)
    assert inside.all(1).mean() > 0.6  # the rest lies on ears, neck and scalp
    plain = StudioEstimator(estimator.maps, None).see(frame, track, camera)
    assert plain.sight is None
    share = estimator.shares.identity
    network = seen.sight.estimate.identity
    maps = np.zeros(len(network))
    maps[: len(plain.estimate.identity)] = plain.estimate.identity
    np.testing.assert_allclose(
        seen.estimate.identity, share * network + (1 - share) * maps, atol=1e-5
    )


def test_other_heads_have_no_network():
    with pytest.raises(UsageError, match="default head, not ict"):
        Models.load("ict", network=True)
