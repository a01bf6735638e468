"""The synthetic face factory: pictures of invented people whose shape and pose are known.

Owns what training and measuring need and running does not: drawing random people
(:mod:`.sample`, :mod:`.style`), painting them (:mod:`.chart`, :mod:`.skin`, :mod:`.eyes`), what
grows on and round them (:mod:`.hair`, :mod:`.lashes`, :mod:`.glasses`, :mod:`.clothes`), light
(:mod:`.light`, :mod:`.scene`), rooms and cameras (:mod:`.backdrop`, :mod:`.photograph`).  It may
import everything below the session; nothing imports it at module level.  Every picture follows
from the ``numpy`` generator that is passed in.  Entry points: :func:`.stage.make_stage`, once for a
head model, and :func:`.render.render_sample`.
"""
