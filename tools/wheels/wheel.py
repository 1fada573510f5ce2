"""What a wheel puts where: a wheel is a zip of modules, metadata, and files for other folders.

Source of the format: the Python Packaging User Guide, "Binary distribution format" and
"Entry points specification" (PEP 427, PEP 660).
"""

import configparser
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tools.lib.errors import UserError

_EXECUTABLE = 0o755
_PLAIN = 0o644
# Folders of NAME-VERSION.data by where they go, relative to the prefix; modules have `site` instead.
_SCHEMES = {"scripts": "bin", "data": "", "headers": "include"}
_MODULES = ("purelib", "platlib")
_SCRIPT = """#!/usr/bin/python3
import sys

from {module} import {start}

sys.exit({function}())
"""


@dataclass(frozen=True)
class Member:
    """One file: its path in the root without a leading slash, its content and its mode bits."""

    path: str
    content: bytes
    mode: int


def members(wheel: Path, prefix: str, site: str) -> Iterator[Member]:
    """The files of a wheel, with the programs that its entry points name.

    `prefix` has bin/ and its like, `site` the modules; both are paths in the root.
    Raises UserError when the file isn't a wheel.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield _member(info, archive.read(info), prefix, site)
            for name in archive.namelist():
                if PurePosixPath(name).name == "entry_points.txt" and ".dist-info/" in name:
                    yield from _programs(archive.read(name).decode(), prefix)
    except zipfile.BadZipFile as error:
        raise UserError(f"{wheel}: not a wheel ({error}); remove the file, so that it is fetched anew") from error


def _member(info: zipfile.ZipInfo, content: bytes, prefix: str, site: str) -> Member:
    path = PurePosixPath(info.filename)
    if path.is_absolute() or ".." in path.parts:
        raise UserError(f"{info.filename}: a path of the wheel leads out of it; don't use this wheel")
    executable = bool(info.external_attr >> 16 & 0o111)
    place = PurePosixPath(site, path)
    if path.parts[0].endswith(".data") and len(path.parts) > 2:
        kind = path.parts[1]
        rest = path.parts[2:]
        place = PurePosixPath(site, *rest) if kind in _MODULES else PurePosixPath(prefix, _SCHEMES[kind], *rest)
        executable = executable or kind == "scripts"
        if kind == "scripts" and content.startswith(b"#!python"):
            content = b"#!/usr/bin/python3" + content[len(b"#!python") :]
    return Member(str(place), content, _EXECUTABLE if executable else _PLAIN)


def _programs(text: str, prefix: str) -> Iterator[Member]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    if not parser.has_section("console_scripts"):
        return
    for name, target in parser.items("console_scripts"):
        module, _, function = target.partition("[")[0].strip().partition(":")
        script = _SCRIPT.format(module=module, start=function.partition(".")[0], function=function)
        yield Member(f"{prefix}/bin/{name}", script.encode(), _EXECUTABLE)
