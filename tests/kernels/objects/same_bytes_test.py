"""Objects compiled by actions of their own are linked to the bytes that kbuild alone makes of the whole module."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

OBJECTS, WHOLE = (os.environ[kind].split() for kind in ("OBJECTS", "WHOLE"))
_LOG = "build.log"
_NOTE = "Objects compiled by actions of their own: "

_PAIRS = list(zip(OBJECTS, WHOLE, strict=True))

each_kernel = pytest.mark.parametrize(("objects", "whole"), _PAIRS, ids=OBJECTS)


def digests(folder: str) -> dict[str, str]:
    """The SHA-256 of each output by its name."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in Path(folder).iterdir() if path.name != _LOG}


def first_line(folder: str) -> str:
    """What a build says of how it went."""
    return Path(folder, _LOG).read_text().splitlines()[0]


def test_several_lines() -> None:
    assert len(OBJECTS) >= 4


@each_kernel
def test_same_bytes(objects: str, whole: str) -> None:
    found = digests(objects)
    assert [name for name in found if name.endswith(".ko")]
    assert found == digests(whole)


@each_kernel
def test_the_link_compiled_none_of_them(objects: str, whole: str) -> None:
    """kbuild took every object as what it would have made itself."""
    commands = json.loads(Path(whole, "compile_commands.json").read_text())
    assert first_line(objects) == f"{_NOTE}{len(commands)} of {len(commands)}."
    assert first_line(whole) == 'Built as a whole: the source says compilation = "whole"'
