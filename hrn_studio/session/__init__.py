"""One sitting: the frames that were kept, what was made of them, and the folder they are in.

Owns :mod:`.state` (the frozen :class:`~.state.Session` and pure changes to it) and :mod:`.store`
(the folder on disk, written so that a crash loses nothing).  No Qt.
"""
