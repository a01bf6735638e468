from __future__ import annotations

import inspect

import pytest

from hrn_studio import errors
from hrn_studio.errors import StudioError

KINDS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, StudioError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_drawn_tree_is_the_real_one(kind: type[StudioError]) -> None:
    assert errors.__doc__ is not None
    lines = [line for line in errors.__doc__.splitlines() if f"{kind.__name__} " in f"{line} "]
    assert len(lines) == 1
    depth = (len(lines[0]) - len(lines[0].lstrip("│├└─ "))) // 4
    assert depth == len(kind.__mro__) - len(StudioError.__mro__)


def test_an_error_is_its_sentence() -> None:
    assert str(StudioError("'a.txt' is not a picture; give a JPEG")).startswith("'a.txt'")
