"""The live face on the network, as Live Link Face sends it.

One datagram for each face, which Unreal's Live Link plug-in and the programs that stand in for it
listen for on port 11111.  All numbers but the first byte are big-endian:

====================  =====================================================================
uint8                 version, 6
int32, text           device: a UUID of 36 letters (many receivers skip a fixed 41 bytes)
int32, text           subject: the name under which the receiver lists the face
int32, float32        frame number at 60 a second, and the part of a frame that has passed since
int32, int32          frame rate, numerator and denominator
uint8                 number of values, 61
float32 x 61          52 weights 0..1 in ARKit's order, then nine angles in radians
====================  =====================================================================

The order of the weights is Unreal's ``EARFaceBlendShape``: that of the files
(:data:`hrn_studio.live.livelink.SHAPES`), except that left stands before right for the jaw and the
mouth too.  The angles are those of the files.
"""

from __future__ import annotations

import math
import socket
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from hrn_studio.errors import UsageError
from hrn_studio.live.livelink import ANGLES, SHAPES, TIMECODE_FPS, curve_values
from hrn_studio.records import FaceState

PORT = 11111
VERSION = 6
_SWAPPED = {
    "JawRight": "JawLeft",
    "JawLeft": "JawRight",
    "MouthRight": "MouthLeft",
    "MouthLeft": "MouthRight",
}
PACKET_SHAPES: tuple[str, ...] = tuple(_SWAPPED.get(name, name) for name in SHAPES)
"""The 52 weights in the order they are sent."""
_COUNT = len(SHAPES) + len(ANGLES)
_TIME = struct.Struct(">ifiiB")
_DAY_S = 86400
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Packet:
    """What one datagram says."""

    device: str
    subject: str
    frame: int
    subframe: float
    fps: float
    values: tuple[float, ...]
    """61, by :data:`PACKET_SHAPES` and :data:`hrn_studio.live.livelink.ANGLES`."""

    def named(self) -> dict[str, float]:
        """The values by name."""
        return dict(zip((*PACKET_SHAPES, *ANGLES), self.values, strict=True))


def encoded(
    state: FaceState,
    expression_names: Sequence[str],
    *,
    device: str,
    subject: str,
    time_s: float,
    fps: int = TIMECODE_FPS,
) -> bytes:
    """The datagram of one face.

    Parameters
    ----------
    expression_names
        ARKit's names of ``coefficients.expression``, in its order; shapes that are missing from
        it are sent as 0.
    time_s
        Time of day in seconds, from which the frame number is made.
    """
    whole = max(0.0, time_s) % _DAY_S * fps
    frame = math.floor(whole)
    values = curve_values(state, expression_names, PACKET_SHAPES)
    return b"".join(
        [
            bytes([VERSION]),
            _text(device),
            _text(subject),
            _TIME.pack(frame, whole - frame, fps, 1, _COUNT),
            struct.pack(f">{_COUNT}f", *values),
        ]
    )


def decoded(data: bytes) -> Packet:
    """What a datagram says; the inverse of :func:`encoded`.

    Raises
    ------
    ValueError
        The bytes are not a Live Link Face datagram of version 6 with a face.
    """
    try:
        if data[0] != VERSION:
            raise ValueError(f"version {data[0]}, not {VERSION}")
        device, at = _read_text(data, 1)
        subject, at = _read_text(data, at)
        frame, subframe, top, bottom, count = _TIME.unpack_from(data, at)
        if count != _COUNT or len(data) != at + _TIME.size + 4 * count:
            raise ValueError(f"{count} values in {len(data)} bytes")
        values = struct.unpack_from(f">{count}f", data, at + _TIME.size)
        return Packet(device, subject, frame, subframe, top / bottom, values)
    except (IndexError, struct.error, UnicodeDecodeError, ZeroDivisionError) as error:
        raise ValueError(f"{len(data)} bytes that are cut short") from error


def parsed_target(text: str) -> tuple[str, int]:
    """Host and port of ``HOST``, ``HOST:PORT`` or ``[IPv6]:PORT``.

    Raises
    ------
    UsageError
        There is no host, or the port is no number from 1 to 65535.
    """
    host, port = text.strip(), ""
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":")
    elif host.count(":") == 1:
        host, port = host.split(":")
    number = int(port) if port.isdecimal() else 0 if port or text.strip().endswith(":") else PORT
    if not host or any(c.isspace() or c == "/" for c in host) or not 1 <= number <= 65535:
        raise UsageError(
            f"'{text}' is no address to send to; give a computer's name or IP address and, after "
            f"a colon, a port from 1 to 65535, for example 192.168.1.20:{PORT}"
        )
    return host, number


class Sender:
    """Sends faces to one receiver; a context manager.

    Parameters
    ----------
    target
        ``HOST`` or ``HOST:PORT``; the port is 11111 when not given.
    subject
        The name under which the receiver lists the face.
    device
        A UUID; made from the subject when not given, so that a receiver knows it again.

    Raises
    ------
    UsageError
        The address makes no sense or is not known, or the name is empty or too long.
    """

    def __init__(
        self,
        target: str,
        expression_names: Sequence[str],
        *,
        subject: str = "HRNStudio",
        device: str = "",
    ) -> None:
        if not subject.strip() or len(subject.encode()) > _LONGEST_NAME:
            raise UsageError(
                "the subject needs a name of 1 to 255 letters; it is what the receiver lists"
            )
        self.host, self.port = parsed_target(target)
        self.subject = subject.strip()
        self.device = device or str(uuid.uuid5(uuid.NAMESPACE_DNS, self.subject)).upper()
        self.sent = 0
        self._names = tuple(expression_names)
        self._socket, self._address = _opened(self.host, self.port)

    def send(self, state: FaceState, time_s: float) -> None:
        """Send one face; ``time_s`` is the time of day.

        Raises
        ------
        UsageError
            The network does not take it: no way to that address.
        """
        data = encoded(state, self._names, device=self.device, subject=self.subject, time_s=time_s)
        try:
            self._socket.sendto(data, self._address)
        except OSError as error:
            raise UsageError(
                f"nothing can be sent to '{self.host}' ({error.strerror or error}); check the "
                "address and that this computer is on the same network"
            ) from error
        self.sent += 1

    def close(self) -> None:
        """Free the socket; closing twice does nothing."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _opened(host: str, port: int) -> tuple[socket.socket, tuple[object, ...]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"no computer called '{host}' is known here; give the IP address of the one that "
            f"listens, for example 192.168.1.20:{port}"
        ) from error
    family, kind, protocol, _, address = found[0]
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return opened, address


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">i", len(data)) + data


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">i", data, at)
    end = at + 4 + length
    if length < 0 or end > len(data):
        raise ValueError(f"a text of {length} bytes in {len(data)}")
    return data[at + 4 : end].decode(), end
