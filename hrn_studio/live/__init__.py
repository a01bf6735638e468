"""From pictures to tracked faces.

Owns what comes in: pictures and video (:mod:`.images`, :mod:`.sources`), the camera that made
them (:mod:`.cameras`), the landmark trackers (:mod:`.tracker`, :mod:`.recorded`) with their mesh
(:mod:`.facemesh`), masks of believable skin and of the head's outline (:mod:`.masks`), and the
Live Link Face text of a track (:mod:`.livelink`).  It may import ``face``, ``geometry``,
``records`` and ``errors``; OpenCV (:mod:`._cv`) and MediaPipe are used here and nowhere else, and
MediaPipe is loaded only when a tracker is made.  Entry points: :func:`.images.read_image`,
:func:`.sources.VideoFile`, :class:`.tracker.MediaPipeTracker`, :func:`.masks.head_masks`.
"""
