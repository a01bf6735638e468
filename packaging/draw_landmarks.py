"""Draw the face network's dense landmarks on pictures, and tell how steady they are::

    python packaging/draw_landmarks.py PICTURE ... --out FOLDER [--looks N] [--clip VIDEO]

Every picture becomes a PNG of the face with the landmarks, green where the network is sure and red
where it is not (stated standard deviation of a hundredth and of a twentieth of the eye distance).
Printed is how far the landmarks of a picture and of its mirror image, put back, lie apart; with
``--clip`` also how much they tremble from frame to frame of a video, and the solved pose with and
without them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hrn_studio.errors import NoFaceError  # noqa: E402
from hrn_studio.face.landmarks import load_embedding  # noqa: E402
from hrn_studio.face.model import load_head  # noqa: E402
from hrn_studio.face.solver import IRISES  # noqa: E402
from hrn_studio.geometry.transforms import angles_from_rotation  # noqa: E402
from hrn_studio.live._cv import cv2  # noqa: E402
from hrn_studio.live.cameras import camera_for  # noqa: E402
from hrn_studio.live.estimator import load_estimator  # noqa: E402
from hrn_studio.live.images import read_image  # noqa: E402
from hrn_studio.live.network import FaceNetwork, load_network  # noqa: E402
from hrn_studio.live.regressor import LandmarkRegressor  # noqa: E402
from hrn_studio.live.sources import VideoFile  # noqa: E402
from hrn_studio.live.tracker import MediaPipeTracker  # noqa: E402
from hrn_studio.records import AnyFloats, Bytes, Doubles, Floats, Frame, Track  # noqa: E402

SIDE_PX = 900
SURE, UNSURE = 0.01, 0.05
"""Of the eye distance."""
_EYES = (33, 263)
"""The tracker's outer corners of the eyes."""


def main() -> None:
    """Draw, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pictures", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--looks", type=int, default=1, help="crops asked about (default: 1)")
    parser.add_argument("--clip", type=Path, help="a video of a face")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    network = load_network()
    apart = []
    with MediaPipeTracker("still") as tracker:
        for path in options.pictures:
            frame = read_image(path)
            try:
                track = tracker.track(frame)
            except NoFaceError as error:
                print(f"{path.name}: {error}")
                continue
            picture = drawn(network, frame, track, options.looks)
            cv2.imwrite(str(options.out / f"{path.stem}.png"), picture[..., ::-1])
            off = mirror_error(network, tracker, frame, track, options.looks)
            print(f"{path.name}: picture and mirror image {off:.2f} % of the eye distance apart")
            apart.append(off)
    if apart:
        print(f"all: {np.mean(apart):.2f} %, at worst {max(apart):.2f} %")
    if options.clip is not None:
        tell_jitter(network, options.clip)


def eye_distance(track: Track) -> float:
    """Pixels between the outer corners of the eyes, at least a third of the face."""
    a, b = track.points_px[list(_EYES)]
    return max(float(np.linalg.norm(a - b)), track.size_px / 3)


def drawn(network: FaceNetwork, frame: Frame, track: Track, looks: int) -> Bytes:
    """The face enlarged, with the landmarks."""
    sight = network.see(frame, track, looks)
    middle, half = track.points_px.mean(0), 0.85 * track.size_px
    zoom = SIDE_PX / (2 * half)
    shift = np.array([[zoom, 0, zoom * (half - middle[0])], [0, zoom, zoom * (half - middle[1])]])
    picture = cv2.warpAffine(frame.image, shift, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA)
    doubt = np.clip((sight.sigma_px / eye_distance(track) - SURE) / (UNSURE - SURE), 0, 1)
    for point, red in zip(sight.points_px @ shift[:, :2].T + shift[:, 2], doubt, strict=True):
        at = (round(float(point[0]) * 8), round(float(point[1]) * 8))
        cv2.circle(picture, at, 28, (0, 0, 0), -1, cv2.LINE_AA, 3)
        colour = (int(255 * red), int(255 * (1 - red)), 60)
        cv2.circle(picture, at, 20, colour, -1, cv2.LINE_AA, 3)
    return np.asarray(picture, np.uint8)


def mirror_error(
    network: FaceNetwork, tracker: MediaPipeTracker, frame: Frame, track: Track, looks: int
) -> float:
    """Percent of the eye distance, median, between the answers to a picture and its mirror image,
    which is tracked anew."""
    turned = Frame(np.ascontiguousarray(frame.image[:, ::-1]))
    there = network.see(turned, tracker.track(turned), looks).points_px
    at = {int(v): k for k, v in enumerate(network.vertices)}
    pairs = [at[int(v)] for v in load_head().symmetry[network.vertices]]
    back = there[pairs] * (-1, 1) + (frame.width, 0)
    off = np.linalg.norm(back - network.see(frame, track, looks).points_px, axis=1)
    return 100 * float(np.median(off)) / eye_distance(track)


def tell_jitter(network: FaceNetwork, clip: Path) -> None:
    """Print how much points and poses tremble: second differences, as a standard deviation."""
    head, embedding = load_head(), load_embedding()
    plain, helped = load_estimator(), load_estimator(network=True)
    ways = {"tracker": plain, "network": helped}
    regressors = {k: LandmarkRegressor(head, embedding, e, smooth=False) for k, e in ways.items()}
    dense: list[Floats] = []
    marks: list[Floats] = []
    poses: dict[str, list[Doubles]] = {k: [] for k in ways}
    size = 1.0
    for frame, track in _faces(clip):
        camera, size = camera_for(frame), eye_distance(track)
        dense.append(network.see(frame, track).points_px)
        marks.append(track.points_px[:IRISES])
        for name, regressor in regressors.items():
            T = regressor.regress(frame, track, camera).T_camera_head
            poses[name].append(np.degrees(np.array(angles_from_rotation(T[:3, :3]))))
    print(f"{clip.name}, {len(dense)} frames, tremble from frame to frame:")
    for name, points in (("dense landmarks", dense), ("the tracker's", marks)):
        print(f"  {name}: {100 * np.median(tremble(points)) / size:.2f} % of the eye distance")
    for name, angles in poses.items():
        print(f"  pose with the {name}: {np.sqrt((tremble(angles) ** 2).mean()):.2f} degrees")


def tremble(values: Sequence[AnyFloats]) -> Doubles:
    """Standard deviation of white noise with these second differences; motion has hardly any."""
    change = np.diff(np.asarray(values, np.float64), n=2, axis=0)
    return np.asarray(np.sqrt(np.square(change).mean(0) / 6))


def _faces(clip: Path) -> Iterator[tuple[Frame, Track]]:
    with VideoFile(clip) as video, MediaPipeTracker("video") as tracker:
        for frame in video:
            try:
                yield frame, tracker.track(frame)
            except NoFaceError:
                continue


if __name__ == "__main__":
    main()
