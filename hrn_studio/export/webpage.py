"""One HTML page that shows the head from the disk: no server, no network, nothing beside it.

The page holds the GLB as base64 and the viewer (orbit, expressions, light), which is
``resources/web/viewer.js``: three.js (MIT) with ``packaging/viewer``, bundled by
``packaging/build_viewer.sh``.  Its content policy forbids every connection.
"""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path

from hrn_studio import paths
from hrn_studio.errors import ExportError
from hrn_studio.export.asset import Asset
from hrn_studio.export.gltf import write_glb
from hrn_studio.export.options import PLAIN, ExportOptions


def write_html(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME.html``.

    Raises
    ------
    ExportError
        The viewer is missing from this installation.
    """
    plain = replace(options, compress="none")  # the page brings no decoder along
    ((_, glb),) = write_glb(asset, plain).items()
    page, viewer = _parts(paths.resources() / "web")
    filled = {
        "TITLE": escape(asset.name),
        "NOTICE": escape(asset.notice),
        "GLB": base64.b64encode(glb).decode(),
        "VIEWER": viewer,
    }
    text = re.sub("@([A-Z]+)@", lambda found: filled[found.group(1)], page)
    return {f"{asset.name}.html": text.encode()}


@cache
def _parts(folder: Path) -> tuple[str, str]:
    try:
        page = (folder / "viewer.html").read_text(encoding="utf-8")
        return page, (folder / "viewer.js").read_text(encoding="utf-8")
    except OSError as error:
        raise ExportError(
            f"the web page's viewer is missing from {folder}; install HRN Studio again"
        ) from error
