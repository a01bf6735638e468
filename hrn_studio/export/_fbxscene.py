"""An FBX file under construction: its objects, how they hang together, and what is always there."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hrn_studio import __version__
from hrn_studio.export._fbxtree import (
    CREATED,
    FILE_ID,
    VERSION,
    Node,
    document,
    properties,
    put,
)
from hrn_studio.export.options import Space

TICKS = 46_186_158_000
"""FBX's units of time in a second."""
_FIRST_ID = 1_000_000
_MODES = {24: 11, 25: 10, 30: 6, 50: 5, 60: 3, 120: 1}
_CUSTOM_RATE = 14


class Scene:
    """Objects with numbers, and connections between them."""

    def __init__(self) -> None:
        self.objects = Node("Objects")
        self.links = Node("Connections")
        self.takes = Node("Takes")
        self.take, self.duration_s, self.rate = "", 0.0, 30.0
        self._next = _FIRST_ID

    def object(self, kind: str, name: str, group: str, subtype: str) -> tuple[Node, np.int64]:
        """A new object and its number; ``group`` is the class behind its name."""
        number = np.int64(self._next)
        self._next += 1
        return self.objects.add(kind, number, f"{name}\0\1{group}", subtype), number

    def link(self, child: np.int64, parent: np.int64 | int, slot: str = "") -> None:
        """Hang an object on another (0 is the scene), or on a property of it."""
        if slot:
            self.links.add("C", "OP", child, np.int64(parent), slot)
        else:
            self.links.add("C", "OO", child, np.int64(parent))

    def file(self, space: Space) -> bytes:
        """All of it."""
        self.takes.children.insert(0, Node("Current", (self.take,)))
        return document(
            [
                _header(),
                Node("FileId", (FILE_ID,)),
                Node("CreationTime", (CREATED,)),
                Node("Creator", (_creator(),)),
                self._settings(space),
                self._documents(),
                Node("References"),
                self._definitions(),
                self.objects,
                self.links,
                self.takes,
            ]
        )

    def _settings(self, space: Space) -> Node:
        up, front, sign = (1, 2, 1) if space.up == "y" else (2, 1, -1)
        unit = 100.0 * space.metres_per_unit
        mode = _MODES.get(round(self.rate), _CUSTOM_RATE)
        if abs(self.rate - round(self.rate)) > 0.01:
            mode = _CUSTOM_RATE
        node = Node("GlobalSettings")
        node.add("Version", 1000)
        table = properties(node)
        for name, number in (
            *(("UpAxis", up), ("UpAxisSign", 1), ("FrontAxis", front), ("FrontAxisSign", sign)),
            *(("CoordAxis", 0), ("CoordAxisSign", 1)),
            *(("OriginalUpAxis", up), ("OriginalUpAxisSign", 1)),
        ):
            put(table, name, "int", "Integer", "", number)
        for name in ("UnitScaleFactor", "OriginalUnitScaleFactor"):
            put(table, name, "double", "Number", "", unit)
        put(table, "AmbientColor", "ColorRGB", "Color", "", 0.0, 0.0, 0.0)
        put(table, "DefaultCamera", "KString", "", "", "Producer Perspective")
        put(table, "TimeMode", "enum", "", "", mode)
        put(table, "TimeSpanStart", "KTime", "Time", "", np.int64(0))
        put(table, "TimeSpanStop", "KTime", "Time", "", ticks(self.duration_s))
        put(table, "CustomFrameRate", "double", "Number", "", float(self.rate))
        return node

    def _documents(self) -> Node:
        node = Node("Documents")
        node.add("Count", 1)
        inner = node.add("Document", np.int64(self._next), "", "Scene")
        table = properties(inner)
        put(table, "SourceObject", "object", "", "")
        put(table, "ActiveAnimStackName", "KString", "", "", self.take)
        inner.add("RootNode", np.int64(0))
        return node

    def _definitions(self) -> Node:
        kinds = Counter(node.name for node in self.objects.children)
        node = Node("Definitions")
        node.add("Version", 100)
        node.add("Count", kinds.total() + 1)
        for kind, count in {"GlobalSettings": 1, **kinds}.items():
            node.add("ObjectType", kind).add("Count", count)
        return node


def ticks(seconds: float) -> np.int64:
    return np.int64(round(seconds * TICKS))


def _creator() -> str:
    return f"HRN Studio {__version__}"


def _header() -> Node:
    node = Node("FBXHeaderExtension")
    node.add("FBXHeaderVersion", 1003)
    node.add("FBXVersion", VERSION)
    node.add("EncryptionType", 0)
    stamp = node.add("CreationTimeStamp")
    stamp.add("Version", 1000)
    day = (("Year", 1970), ("Month", 1), ("Day", 1), ("Hour", 10), ("Minute", 0), ("Second", 0))
    for name, number in (*day, ("Millisecond", 0)):
        stamp.add(name, number)
    node.add("Creator", _creator())
    info = node.add("SceneInfo", "GlobalInfo\0\1SceneInfo", "UserData")
    info.add("Type", "UserData")
    info.add("Version", 100)
    meta = info.add("MetaData")
    meta.add("Version", 100)
    for name in ("Title", "Subject", "Author", "Keywords", "Revision", "Comment"):
        meta.add(name, "")
    table = properties(info)
    for who in ("Original", "LastSaved"):
        put(table, who, "Compound", "", "")
        put(table, f"{who}|ApplicationVendor", "KString", "", "", "HRN Studio")
        put(table, f"{who}|ApplicationName", "KString", "", "", "HRN Studio")
        put(table, f"{who}|ApplicationVersion", "KString", "", "", __version__)
    return node
