"""The user's model folder: what is there, what comes in, what goes.

Each family has a folder of its own with a ``manifest.json`` that holds the checksum of every
file.  A family is made anew beside the old one and renamed into its place, so that whatever goes
wrong leaves the shelf as it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.models import intake
from hrn_studio.models.catalogue import FAMILIES, STORED_AS, Family, Item, Use, family
from hrn_studio.models.intake import Found
from hrn_studio.records import Progress

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class State:
    """One family on the shelf."""

    family: Family
    there: tuple[Item, ...]
    missing: tuple[Item, ...]
    """What could still be added."""
    enabled: tuple[Use, ...]
    disabled: tuple[tuple[Use, str], ...]
    """With the reason, for people."""
    bytes: int

    @property
    def complete(self) -> bool:
        """Whether all needed files are there."""
        return not any(item.needed for item in self.missing)


def states(folder: Path) -> tuple[State, ...]:
    """Every family of the catalogue; looks at names only, so it is quick."""
    return tuple(state(folder, name) for name in FAMILIES)


def state(folder: Path, wanted: Family) -> State:
    """One family."""
    home = folder / wanted.name
    here = {file.name for file in home.iterdir()} if home.is_dir() else set()
    there = tuple(item for item in wanted.items if _has(item, here))
    missing = tuple(item for item in wanted.items if item not in there)
    enabled, disabled = [], []
    for use in wanted.uses:
        lacking = [kind for kind in use.kinds if not _kept(wanted, kind, here)]
        if lacking:
            names = dict.fromkeys(_published(wanted, kind) for kind in lacking)
            disabled.append((use, f"needs {', '.join(names)}"))
        else:
            enabled.append(use)
    size = sum((home / name).stat().st_size for name in here if (home / name).is_file())
    return State(wanted, there, missing, tuple(enabled), tuple(disabled), size)


def reason(folder: Path, use: str) -> str | None:
    """Why something cannot be used, for a tooltip; None when it can."""
    for found in states(folder):
        for disabled, why in found.disabled:
            if disabled.name == use:
                return f"{why}; add it with 'hrn-studio models add PATH'"
    return None


def _has(item: Item, here: set[str]) -> bool:
    # A checkpoint may hold the regression alone.
    return item.stored[0] in here


def _kept(wanted: Family, kind: str, here: set[str]) -> bool:
    stored = STORED_AS.get(kind) or wanted.item(kind).stored
    return all(name in here for name in stored)


def _published(wanted: Family, kind: str) -> str:
    item = next((i for i in wanted.items if i.kind == kind), None)
    return (item or wanted.items[0]).names[0]


def add(
    path: Path, folder: Path, *, link: bool = False
) -> Generator[Progress, None, tuple[State, ...]]:
    """Take in a file or a folder the user downloaded.

    Returns
    -------
    The families that changed, as they are now.

    Raises
    ------
    UsageError
        Nothing in ``path`` is known.
    ModelDataError
        A file is not what it should be, or a folder lacks files; nothing has changed then.
    """
    found = intake.look(path)
    changed = list(dict.fromkeys(each.family for each in found))
    if path.is_dir():
        for wanted in changed:
            _refuse_half(path, wanted, found, folder)
    folder.mkdir(parents=True, exist_ok=True)
    done = 0
    with contextlib.ExitStack() as stack:
        made = []
        for wanted in changed:
            fresh = stack.enter_context(_temporary(folder))
            sources = {}
            for each in (each for each in found if each.family is wanted):
                yield Progress("models", done / len(found), f"reading {each.path.name}")
                for name in intake.take(each, fresh, link=link):
                    sources[name] = each.path.name
                done += 1
            _complete(fresh, folder / wanted.name, sources)
            made.append((wanted, fresh))
        yield Progress("models", 1.0, "putting the files in their place")
        for wanted, fresh in made:
            _put(fresh, folder / wanted.name)
    return tuple(state(folder, wanted) for wanted in changed)


def _refuse_half(path: Path, wanted: Family, found: Sequence[Found], folder: Path) -> None:
    kinds = {each.item.kind for each in found if each.family is wanted}
    kinds |= {item.kind for item in state(folder, wanted).there}
    needed = [item for item in wanted.items if item.needed]
    lacking = [item.names[0] for item in needed if item.kind not in kinds]
    if lacking:
        raise ModelDataError(
            f"'{path}' has {len(needed) - len(lacking)} of the {len(needed)} files "
            f"{wanted.name} needs; put {', '.join(lacking)} into it too, or add single files one "
            "by one"
        )


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    try:
        fresh = Path(tempfile.mkdtemp(prefix=".adding-", dir=folder))
    except OSError as error:
        raise ModelDataError(
            f"'{folder}' cannot be written ({error.strerror}); make it writable, or name another "
            "with HRN_STUDIO_DATA"
        ) from error
    try:
        yield fresh
    except OSError as error:
        raise ModelDataError(
            f"the files could not be copied to '{folder}' ({error.strerror}); make room there"
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _complete(fresh: Path, home: Path, sources: dict[str, str]) -> None:
    """Bring over what the family has already, and write the manifest."""
    files = intake.read_manifest(home / MANIFEST).get("files", {})
    facts: dict[str, Any] = {}
    for name in sorted(item.name for item in home.iterdir()) if home.is_dir() else ():
        if name != MANIFEST and not (fresh / name).exists():
            _link_or_copy(home / name, fresh / name)
            if name in files:
                facts[name] = files[name]
    for name, source in sources.items():
        target = fresh / name
        facts[name] = {
            "sha256": checksum(target),
            "bytes": target.stat().st_size,
            "source": source,
        }
    text = json.dumps({"version": 1, "files": facts}, indent=2, sort_keys=True)
    (fresh / MANIFEST).write_text(text + "\n", "utf-8")


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _put(fresh: Path, home: Path) -> None:
    """Rename a finished folder into its place."""
    fresh.chmod(0o755)
    if not home.exists():
        fresh.rename(home)
        return
    with tempfile.TemporaryDirectory(prefix=".removing-", dir=home.parent) as away:
        old = Path(away) / home.name
        home.rename(old)
        try:
            fresh.rename(home)
        except OSError:
            old.rename(home)
            raise


def verify(folder: Path, names: Sequence[str] = ()) -> Generator[Progress, None, list[str]]:
    """Check kept files against their checksums, and read each as strictly as on the way in.

    Parameters
    ----------
    names
        Families; all that are there when empty.

    Returns
    -------
    What is wrong, a sentence each; empty when all is well.

    Raises
    ------
    UsageError
        A family is unknown.
    """
    wrong = []
    wanted = [_known(name) for name in names] or [f for f in FAMILIES if (folder / f.name).is_dir()]
    for each in wanted:
        home = folder / each.name
        files = intake.read_manifest(home / MANIFEST).get("files", {})
        if not files:
            wrong.append(f"{each.name} is not there; add it with 'hrn-studio models add PATH'")
        for number, (name, facts) in enumerate(sorted(files.items())):
            yield Progress("models", number / len(files), f"checking {each.name}/{name}")
            if not (home / name).is_file():
                wrong.append(f"'{home / name}' is missing; add {facts['source']} again")
            elif checksum(home / name) != facts["sha256"]:
                wrong.append(f"'{home / name}' has changed; add {facts['source']} again")
            else:
                try:
                    intake.check(each, home / name)
                except ModelDataError as error:
                    wrong.append(str(error))
    return wrong


def remove(folder: Path, name: str) -> int:
    """Delete a family; returns the number of bytes freed.

    Raises
    ------
    UsageError
        The family is unknown or not there.
    """
    wanted = _known(name)
    home = folder / wanted.name
    if not home.is_dir():
        raise UsageError(f"{name} is not there, so it cannot be removed")
    size = state(folder, wanted).bytes
    with tempfile.TemporaryDirectory(prefix=".removing-", dir=folder) as away:
        home.rename(Path(away) / name)
    return size


def _known(name: str) -> Family:
    found = family(name)
    if found is None:
        names = ", ".join(each.name for each in FAMILIES)
        raise UsageError(f"'{name}' is not a model the studio knows; choose one of {names}")
    return found


def checksum(file: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
