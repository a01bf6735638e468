"""File names that every system and every importer accepts."""

from __future__ import annotations

import re
import unicodedata

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f<>:\"/\\|?*%#;,'`$&]+")
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(10)}
_LONGEST = 80


def file_stem(text: str) -> str:
    """``text`` as the first part of file names: ``"Jane Doe (2)"`` becomes ``"Jane_Doe_(2)"``.

    Blanks would end a name in an OBJ file; the rest is what Windows, shells or URLs refuse.
    Letters of all alphabets stay.  Never empty: ``"head"`` when nothing is left.
    """
    clean = unicodedata.normalize("NFC", text)
    clean = "".join("_" if c.isspace() or not c.isprintable() else c for c in clean)
    clean = _FORBIDDEN.sub("_", clean).strip("._-")[:_LONGEST].rstrip("._-")
    if clean.split(".")[0].lower() in _RESERVED:
        clean = f"head_{clean}"
    return clean or "head"
