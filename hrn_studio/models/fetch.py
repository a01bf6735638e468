"""Download models from where their authors publish them: resumed when broken, checked when done."""

from __future__ import annotations

import hashlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrn_studio import __version__
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.models.catalogue import FLAME, HRN, HRN_HEAD, ICT, Family
from hrn_studio.models.intake import is_called
from hrn_studio.records import Progress

MODELSCOPE = "https://modelscope.cn"
_MODELSCOPE_PLACES = {
    HRN.name: ("/api/v1/models/damo/cv_resnet50_face-reconstruction", "v2.0.0-HRN"),
    HRN_HEAD.name: ("/api/v1/models/damo/cv_HRN_head-reconstruction", "v0.1"),
}
GITHUB = "https://api.github.com"
_ICT_FOLDER = "/repos/USC-ICT/ICT-FaceKit/contents/FaceXModel"
_TIMEOUT_S = 30.0
_ATTEMPTS = 3
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to download."""

    name: str
    url: str
    size: int
    """Bytes; -1 where the server does not say."""
    sha256: str = ""
    git_blob: str = ""
    """SHA-1 of the file as a git blob; both checksums are empty where none is known."""


def check_allowed(family: Family, accepted: bool) -> None:
    """Refuse what cannot be had without registering, or whose licence was not accepted.

    Raises
    ------
    UsageError
        With what to do instead.
    """
    if family is FLAME:
        raise UsageError(
            "FLAME needs registration: sign up at https://flame.is.tue.mpg.de, download 'FLAME "
            "2023 Open' (or another release) and run 'hrn-studio models add PATH' with it"
        )
    if family in (HRN, HRN_HEAD) and not accepted:
        raise UsageError(
            "HRN's files contain the Basel face model, which is for research only and asks for "
            "registration (https://faces.dmi.unibas.ch/bfm); when its licence covers your use, "
            "run the command again with --accept-licence"
        )


def listing(family: Family, base: str | None = None) -> tuple[Remote, ...]:
    """The files of a family that the studio wants, as the server lists them.

    Parameters
    ----------
    base
        Scheme and host of a mirror, such as ``http://localhost:8000``.

    Raises
    ------
    ModelDataError
        The server cannot be reached or answers something else.
    """
    try:
        if family.name in _MODELSCOPE_PLACES:
            remotes = _modelscope(base or MODELSCOPE, family)
        elif family is ICT:
            remotes = _github(base or GITHUB)
        else:
            remotes = ()
    except (KeyError, TypeError, ValueError) as error:
        raise ModelDataError(
            f"the server's list of files for {family.name} makes no sense; download the files "
            f"yourself from {family.source} and run 'hrn-studio models add PATH'"
        ) from error
    if not remotes:
        raise ModelDataError(
            f"the server has none of the files of {family.name}; download them yourself from "
            f"{family.source} and run 'hrn-studio models add PATH'"
        )
    return remotes


def _modelscope(base: str, family: Family) -> tuple[Remote, ...]:
    model, revision = _MODELSCOPE_PLACES[family.name]
    query = urllib.parse.urlencode({"Revision": revision, "Recursive": "true"})
    answer = _json(f"{base}{model}/repo/files?{query}")
    wanted = [name for item in family.items for name in item.names]
    remotes = []
    for entry in answer["Data"]["Files"]:
        place = str(entry["Path"])
        name = next((name for name in wanted if is_called(Path(place), name)), None)
        if entry.get("Type") == "blob" and name is not None:
            query = urllib.parse.urlencode({"Revision": revision, "FilePath": place})
            url = f"{base}{model}/repo?{query}"
            size, digest = int(entry.get("Size", -1)), str(entry.get("Sha256") or "")
            remotes.append(Remote(name, url, size, digest))
    return tuple(remotes)


def _github(base: str) -> tuple[Remote, ...]:
    remotes = []
    for entry in _json(f"{base}{_ICT_FOLDER}"):
        name = Path(str(entry["name"])).name
        if entry["type"] == "file" and name.endswith((".obj", ".json")):
            size, blob = int(entry["size"]), str(entry["sha"])
            remotes.append(Remote(f"FaceXModel/{name}", entry["download_url"], size, "", blob))
    return tuple(remotes)


def _json(url: str) -> Any:
    try:
        with _open(url, 0) as answer:
            return json.loads(answer.read())
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        raise ModelDataError(_unreachable(url, error)) from error


def download(remotes: tuple[Remote, ...], folder: Path) -> Generator[Progress, None, None]:
    """Bring files into a folder; what is there and right is not downloaded again.

    Raises
    ------
    ModelDataError
        A download broke (run it again, it goes on where it stopped), or a file is not the one
        published.
    """
    total = sum(max(remote.size, 0) for remote in remotes) or 1
    done = 0
    for remote in remotes:
        target = folder / remote.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            for here in _download(remote, target):
                yield Progress("models", min((done + here) / total, 1.0), f"loading {target.name}")
        done += max(remote.size, 0)


def _download(remote: Remote, target: Path) -> Iterator[int]:
    part = target.with_name(f"{target.name}.part")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            yield from _go_on(remote, part)
            break
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            final = isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404)
            if attempt == _ATTEMPTS or final:
                raise ModelDataError(_broken(remote, part, error)) from error
    _compare(remote, part)
    part.replace(target)


def _go_on(remote: Remote, part: Path) -> Iterator[int]:
    """Append what is missing to the part file; yields its size now and then."""
    here = part.stat().st_size if part.exists() else 0
    if remote.size >= 0 and here > remote.size:
        part.unlink()
        here = 0
    if here == remote.size:
        return
    with _open(remote.url, here) as answer:
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        here = here if resumed else 0
        with part.open("ab" if resumed else "wb") as stream:
            while block := answer.read(_BLOCK):
                stream.write(block)
                here += len(block)
                yield here
    if 0 <= here < remote.size:
        raise http.client.IncompleteRead(b"", remote.size - here)


def _open(url: str, start: int) -> http.client.HTTPResponse:
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise ModelDataError(f"'{url}' is not a web address; download the files yourself")
    headers = {"User-Agent": f"hrn-studio/{__version__}"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    return answer


def _compare(remote: Remote, part: Path) -> None:
    size = part.stat().st_size
    checks: list[tuple[str, Callable[[], Any]]] = [
        (remote.sha256, hashlib.sha256),
        (remote.git_blob, lambda: hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)),
    ]
    wrong = remote.size not in (-1, size)
    for wanted, make in checks:
        if wanted:
            digest = make()
            with part.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
            wrong = wrong or digest.hexdigest().lower() != wanted.lower()
    if wrong:
        part.unlink()
        raise ModelDataError(
            f"'{remote.name}' arrived damaged (its checksum is not the published one) and was "
            "thrown away; run the command again"
        )


def _broken(remote: Remote, part: Path, error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return _unreachable(remote.url, error)
    here = part.stat().st_size if part.exists() else 0
    size = f" of {remote.size / 1e6:.1f}" if remote.size >= 0 else ""
    return (
        f"the download of '{remote.name}' broke after {here / 1e6:.1f}{size} MB; run the command "
        "again to go on from there"
    )


def _unreachable(url: str, error: Exception) -> str:
    host = urllib.parse.urlsplit(url).netloc
    if isinstance(error, urllib.error.HTTPError):
        refused = error.code in (401, 403)
        why = "asks for registration or refused" if refused else f"answered {error.code}"
        return (
            f"{host} {why} ({url}); download the files with your browser and run "
            "'hrn-studio models add PATH'"
        )
    return f"{host} cannot be reached; check the connection, or download the files elsewhere"
