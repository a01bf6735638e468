"""From a finished head to files.

Owns what is written, and how: :mod:`.asset` (the head as engines want it, with its 52 shapes),
one pure writer per format (``Asset -> {file name: bytes}``, gathered in :mod:`.formats`),
:mod:`.manifest`, and :mod:`.folder`, the only module that touches the disk.  It may import
``face``, ``geometry``, ``records``, ``licenses`` and ``errors``.  Entry point:
:func:`.formats.export`.
"""
