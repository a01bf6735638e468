"""What can go wrong, in words a user can act on.

StudioError
├── UsageError               the request itself makes no sense
├── ImageError               a picture cannot be read
├── SourceError              a video or another stream of frames cannot be read
│   └── CameraError          a camera is missing, busy or stopped
├── ModelDataError           a head model, its landmarks or network weights are missing or damaged
├── NoFaceError              a picture shows no face that can be used
│   ├── FaceTooSmallError    ... too few pixels
│   ├── FaceCutError         ... partly outside the picture
│   └── FaceTurnedError      ... turned too far away
├── ArchiveError             a finished head cannot be read back
├── FitError                 a head cannot be fitted
│   └── DifferentPeopleError the pictures do not show one person
└── ExportError              a result cannot be written

Each message is one sentence that names the thing and says what to do about it, for example
``'a.txt' is not a picture; give a JPEG, PNG or WebP file``.  Whoever notices the problem raises;
the window or the command line shows the message once.  Anything that is not a ``StudioError`` is
a bug in the program.
"""

from __future__ import annotations


class StudioError(Exception):
    """A problem the user can do something about; ``str(error)`` is the sentence to show."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(StudioError):
    """The request itself makes no sense: options that contradict each other, nothing to do."""


class ImageError(StudioError):
    """A picture is missing, damaged or of a kind that cannot be read."""


class SourceError(StudioError):
    """A video or another stream of frames cannot be opened or read."""


class CameraError(SourceError):
    """A camera is missing, in use by another program, or stopped delivering."""


class ModelDataError(StudioError):
    """A head model, its landmark embedding or network weights are missing or damaged."""


class ArchiveError(StudioError):
    """A finished head is missing, damaged, or not one of this program's."""


class NoFaceError(StudioError):
    """A picture shows no face that can be used."""


class FaceTooSmallError(NoFaceError):
    """The face covers too few pixels."""


class FaceCutError(NoFaceError):
    """The face is partly outside the picture."""


class FaceTurnedError(NoFaceError):
    """The face is turned too far away from the camera."""


class FitError(StudioError):
    """A head cannot be fitted to what was given."""


class DifferentPeopleError(FitError):
    """The pictures given as one person show different people."""


class ExportError(StudioError):
    """A result cannot be written."""
