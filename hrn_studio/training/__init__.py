"""The synthetic face factory: pictures of invented people whose shape and pose are known.

Owns what training and measuring need and running does not: drawing random people
(:mod:`.sample`), painting skin (:mod:`.chart`, :mod:`.skin`), eyes, hair and clothes
(:mod:`.eyes`, :mod:`.hair`, :mod:`.clothes`), light (:mod:`.light`), rooms and cameras
(:mod:`.backdrop`, :mod:`.photograph`).  It may import everything below the session; nothing
imports it at module level.  Every picture follows from the ``numpy`` generator that is passed in.
Entry point: :func:`.render.render_sample`.
"""
