"""Downloads against a server on this machine that also misbehaves."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from hrn_studio import cli, paths
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.models import fetch
from hrn_studio.models.catalogue import FLAME, HRN, HRN_HEAD, ICT
from hrn_studio.models.fetch import Remote


class Server(ThreadingHTTPServer):
    """Serves ``files``; each may have a fault for its first requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.listings: dict[str, object] = {}
        self.cut: dict[str, list[int]] = {}
        """After how many bytes the connection is dropped, one number per request."""
        self.status: dict[str, int] = {}
        self.ranges: list[str | None] = []
        self.honours_ranges = True

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        parts = urlsplit(self.path)
        name = parse_qs(parts.query).get("FilePath", [parts.path.rsplit("/", 1)[-1]])[0]
        status = self.server.status.get(name)
        if status:
            self.send_error(status)
            return
        if parts.path in self.server.listings:
            self.reply(json.dumps(self.server.listings[parts.path]).encode(), 200, 0)
            return
        if name not in self.server.files:
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if not self.server.honours_ranges:
            start = 0
        cuts = self.server.cut.get(name) or [None]
        cut = cuts.pop(0)
        body = self.server.files[name][start:]
        self.reply(body, 206 if start else 200, len(body) if cut is None else cut)

    def reply(self, body, status, sent):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: sent or len(body)])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    served = Server()
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


CONTENT = bytes(range(256)) * 2000


def remote(server, name="a.bin", **facts):
    facts = {"size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()} | facts
    return Remote(name, f"{server.base}/{name}", **facts)


def get(server, folder, **facts):
    for step in fetch.download((remote(server, **facts),), folder):
        assert 0 <= step.fraction <= 1
    return (folder / "a.bin").read_bytes()


def test_a_file_is_downloaded_once(server, tmp_path):
    server.files["a.bin"] = CONTENT
    assert get(server, tmp_path) == CONTENT
    assert get(server, tmp_path) == CONTENT
    assert server.ranges == [None]
    assert [file.name for file in tmp_path.iterdir()] == ["a.bin"]


def test_a_broken_connection_is_taken_up_again(server, tmp_path):
    server.files["a.bin"] = CONTENT
    server.cut["a.bin"] = [200_000, 100_000]
    assert get(server, tmp_path) == CONTENT
    assert server.ranges == [None, "bytes=200000-", "bytes=300000-"]


def test_a_download_that_keeps_breaking_is_kept_for_the_next_time(server, tmp_path):
    server.files["a.bin"] = CONTENT
    server.cut["a.bin"] = [100_000] * 3
    with pytest.raises(ModelDataError, match=r"broke after 0\.3 of 0\.5 MB; run the command again"):
        get(server, tmp_path)
    assert not (tmp_path / "a.bin").exists()
    assert get(server, tmp_path) == CONTENT
    assert server.ranges[-1] == "bytes=300000-"


def test_a_server_that_cannot_resume_starts_over(server, tmp_path):
    server.files["a.bin"], server.honours_ranges = CONTENT, False
    server.cut["a.bin"] = [200_000]
    assert get(server, tmp_path) == CONTENT


def test_a_file_with_another_checksum_is_thrown_away(server, tmp_path):
    server.files["a.bin"] = CONTENT[::-1]
    with pytest.raises(ModelDataError, match="checksum is not the published one"):
        get(server, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ModelDataError, match="checksum"):
        get(server, tmp_path, sha256="", git_blob="00" * 20)


def test_gits_own_checksum_is_known(server, tmp_path):
    server.files["a.bin"] = b"hello\n"
    blob = "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object of it
    assert get(server, tmp_path, size=6, sha256="", git_blob=blob) == b"hello\n"


def test_a_file_without_size_or_checksum_is_taken_as_it_comes(server, tmp_path):
    server.files["a.bin"] = CONTENT
    assert get(server, tmp_path, size=-1, sha256="") == CONTENT


@pytest.mark.parametrize(("status", "sentence"), [(403, "asks for registration"), (404, "404")])
def test_what_the_server_refuses_is_said(server, tmp_path, status, sentence):
    server.status["a.bin"] = status
    with pytest.raises(ModelDataError, match=sentence):
        get(server, tmp_path)


def test_a_server_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ModelDataError, match=r"127\.0\.0\.1:9 cannot be reached"):
        fetch.listing(HRN, "http://127.0.0.1:9")
    with pytest.raises(ModelDataError, match="not a web address"):
        fetch.listing(HRN, "file:///etc")


def modelscope(server):
    """A listing like ModelScope's, with files the studio does not want among those it does."""
    server.files = {f"assets/{name}": name.encode() for name in ("bfm_uvs2.npy", "hair.pb")}
    entries = [
        {
            "Path": path,
            "Type": "blob",
            "Size": len(content),
            "Sha256": hashlib.sha256(content).hexdigest(),
        }
        for path, content in server.files.items()
    ]
    entries.append({"Path": "assets", "Type": "tree", "Size": 0, "Sha256": ""})
    place = "/api/v1/models/damo/cv_resnet50_face-reconstruction/repo/files"
    server.listings[place] = {"Code": 200, "Data": {"Files": entries}}


def test_modelscopes_listing_is_understood(server, tmp_path):
    modelscope(server)
    (found,) = fetch.listing(HRN, server.base)
    assert found.name == "bfm_uvs2.npy"
    list(fetch.download((found,), tmp_path))
    assert (tmp_path / "bfm_uvs2.npy").read_bytes() == b"bfm_uvs2.npy"


def test_the_head_variants_listing_is_understood(server, tmp_path):
    places = {
        "pytorch_model.pt": b"weights",
        "assets/3dmm/adjust_part/our_full/145_nose.obj": b"another nose",
        "assets/3dmm/adjust_part/our_full_bfmEyes/145_nose.obj": b"nose",
        "assets/texture/template_bald_tex_2.jpg": b"bald",
    }
    server.files = places
    entries = [
        {"Path": place, "Type": "blob", "Size": len(content), "Sha256": ""}
        for place, content in places.items()
    ]
    listing = "/api/v1/models/damo/cv_HRN_head-reconstruction/repo/files"
    server.listings[listing] = {"Data": {"Files": entries}}
    found = fetch.listing(HRN_HEAD, server.base)
    assert [remote.name for remote in found] == [
        *("pytorch_model.pt", "our_full_bfmEyes/145_nose.obj", "template_bald_tex_2.jpg")
    ]
    assert all("Revision=v0.1" in remote.url for remote in found)
    list(fetch.download(found, tmp_path))
    assert (tmp_path / "our_full_bfmEyes" / "145_nose.obj").read_bytes() == b"nose"
    with pytest.raises(UsageError, match="--accept-licence"):
        fetch.check_allowed(HRN_HEAD, accepted=False)


def test_githubs_listing_is_understood(server):
    entry = {"type": "file", "size": 3, "sha": "ab", "download_url": f"{server.base}/x.obj"}
    place = "/repos/USC-ICT/ICT-FaceKit/contents/FaceXModel"
    server.listings[place] = [
        entry | {"name": "x.obj"},
        entry | {"name": "../../y.obj"},
        entry | {"name": "read.me"},
    ]
    assert [r.name for r in fetch.listing(ICT, server.base)] == [
        "FaceXModel/x.obj",
        "FaceXModel/y.obj",
    ]


@pytest.mark.parametrize("answer", [[], {"Data": None}, {"Data": {"Files": [{}]}}, "text"])
def test_a_listing_that_makes_no_sense_is_said(server, answer):
    place = "/api/v1/models/damo/cv_resnet50_face-reconstruction/repo/files"
    server.listings[place] = answer
    with pytest.raises(ModelDataError, match="download the files yourself"):
        fetch.listing(HRN, server.base)


def test_licences_come_first():
    with pytest.raises(UsageError, match=r"flame\.is\.tue\.mpg\.de"):
        fetch.check_allowed(FLAME, accepted=True)
    with pytest.raises(UsageError, match="--accept-licence"):
        fetch.check_allowed(HRN, accepted=False)
    fetch.check_allowed(HRN, accepted=True)
    fetch.check_allowed(ICT, accepted=False)


def test_the_command_line_installs_nothing_of_a_bad_download(server, capsys):
    modelscope(server)
    command = ["models", "fetch", "hrn", "--from", server.base]
    assert cli.main(command) == 2
    assert "--accept-licence" in capsys.readouterr().err
    assert cli.main([*command, "--accept-licence"]) == 2  # six files are not there
    assert "has 1 of the 7 files" in capsys.readouterr().err
    assert not paths.user_models_dir().exists()
    assert cli.main(["models", "fetch", "flame"]) == 2
