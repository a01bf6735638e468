"""The page that needs nothing but itself; what a browser makes of it is tested in tests/interop."""

import base64
import json
import re
from dataclasses import replace

import pytest

from hrn_studio import paths
from hrn_studio.errors import ExportError
from hrn_studio.export import webpage
from hrn_studio.export.gltf import write_glb
from hrn_studio.export.webpage import write_html


@pytest.fixture(scope="module")
def page(asset):
    return write_html(asset)["jane.html"].decode()


def test_the_head_is_inside(asset, page):
    (found,) = re.findall(r'<script type="text/plain" id="glb">([^<]+)</script>', page)
    assert base64.b64decode(found) == write_glb(asset)["jane.glb"]


def test_nothing_is_fetched(page):
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert not re.search(r"\b(src|href)\s*=", markup)
    assert "url(" not in markup
    assert "default-src 'none'" in markup
    assert "http" not in markup.replace("http-equiv", "")


def test_the_scripts_end_where_they_should(page):
    assert page.count("<script") == page.count("</script>") == 2
    assert "@VIEWER@" not in page


def test_names_and_notices_are_text(tiny_asset):
    asset = replace(tiny_asset, name="a&b", notice="<b>@GLB@ & co.</b>")
    page = write_html(asset)["a&b.html"].decode()
    assert "<title>a&amp;b</title>" in page
    assert "&lt;b&gt;@GLB@ &amp; co.&lt;/b&gt;" in page


def test_the_viewer_is_small_and_says_whose_it_is(root):
    viewer = (paths.resources() / "web" / "viewer.js").read_text(encoding="utf-8")
    assert len(viewer) < 1_000_000
    pinned = json.loads((root / "packaging" / "viewer" / "package.json").read_text())
    version = pinned["dependencies"]["three"]
    assert viewer.startswith(f"/*! three.js {version}, MIT licence")
    assert "Permission is hereby granted" in viewer
    assert "</script" not in viewer


def test_the_same_head_gives_the_same_bytes(tiny_asset):
    assert write_html(tiny_asset) == write_html(tiny_asset)


def test_without_the_viewer(tiny_asset, monkeypatch, tmp_path):
    monkeypatch.setattr(webpage.paths, "resources", lambda: tmp_path)
    with pytest.raises(ExportError, match="install HRN Studio again"):
        write_html(tiny_asset)
