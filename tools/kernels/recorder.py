"""What make runs for each target, recorded while kbuild runs.

make is given the recorder for its SHELL and the target's name as the first word of its .SHELLFLAGS, so the recorder
is called for each line of each recipe, with the line exactly as kbuild wrote it, and runs it.
(GNU make manual, "Choosing the Shell".)
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """#!/bin/sh
# Called as TARGET -c LINE for a recipe, as -c LINE for $(shell).
if [ "$1" != -c ]; then
    target=$1; shift
    case $2 in *' -c -o '*) exported=$(export -p) ;; *) exported= ;; esac
    printf '%s\\0' "$PWD" "$target" "$2" "$exported" >> {log}
fi
exec /bin/sh "$@"
"""
# Of make and libfaketime for the processes that they start; they say nothing to a compiler.
_NOISE = ("FAKETIME_SHARED", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMERR", "MAKE_TERMOUT", "MFLAGS", "_")


@dataclass(frozen=True)
class Line:
    """One line of a recipe: where it ran, for which target, and, if it compiles, its environment (`export -p`)."""

    cwd: str
    target: str
    text: str
    exported: str


def install(folder: Path) -> tuple[list[str], Path]:
    """Put a recorder into `folder`: the NAME=VALUE words for make, and the log that it will write."""
    folder.mkdir(parents=True)
    recorder, log = folder / "sh", folder / "log"
    recorder.write_text(_SCRIPT.format(log=log))
    recorder.chmod(0o755)
    return [f"SHELL={recorder}", ".SHELLFLAGS=$@ -c"], log


def read_log(text: str) -> list[Line]:
    """The lines that a recorder logged, in the order in which make ran them."""
    fields = text.split("\0")[:-1]
    return [Line(*fields[start : start + 4]) for start in range(0, len(fields), 4)]


def exported_variables(exported: str) -> dict[str, str]:
    """The environment that `export -p` of a POSIX shell wrote, without what is make's and the recorder's own."""
    words = [word for word in shlex.split(exported) if word != "export" and "=" in word]
    variables = dict(word.split("=", 1) for word in words)
    return {name: value for name, value in variables.items() if name not in _NOISE} | {"SHELL": "/bin/sh"}


def recipes(lines: Iterable[Line]) -> Mapping[tuple[str, str], Sequence[Line]]:
    """The lines of each target, by the folder that make was in and the target's name there."""
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.cwd, line.target), []).append(line)
    return found
