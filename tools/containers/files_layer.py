"""Make a layer of files of the source tree or of the build: the action of the rule `files_layer`.

What goes where comes as a JSON file (`Plan`), because a rule may name thousands of files.
"""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.containers.accounts import Accounts, read_accounts
from tools.containers.contents import DIRECTORY, FILE, SYMLINK, Entry, normal_path
from tools.containers.layer import Part, Source, measured, write_outputs
from tools.containers.layer_options import add_layer_options, layer_outputs, zstd_program
from tools.lib.cli import run
from tools.lib.errors import UserError

_PLACEHOLDER = re.compile(rb"@([A-Z][A-Z0-9_]*)@")
_DEFAULT_MODES = {FILE: 0o644, DIRECTORY: 0o755, SYMLINK: 0o777}


@dataclass(frozen=True)
class Plan:
    """What a files_layer holds. Every path is absolute in the container.

    files, templates: (path on this machine, path in the container) pairs.
    directories: paths. symlinks: path to target. modes: path to octal digits.
    owners: path to "USER:GROUP", each a name or a number. substitutions: a template's placeholder to its text.
    """

    files: Sequence[tuple[str, str]] = ()
    templates: Sequence[tuple[str, str]] = ()
    directories: Sequence[str] = ()
    symlinks: Mapping[str, str] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    substitutions: Mapping[str, str] = field(default_factory=dict)


def fill_in(template: bytes, substitutions: Mapping[str, str], where: str, used: set[str]) -> bytes:
    """A template with each @NAME@ replaced; the names go to `used`. Raises UserError for an unknown name."""
    lines = []
    for number, line in enumerate(template.split(b"\n"), 1):

        def text(match: re.Match[bytes], number: int = number) -> bytes:
            name = match[1].decode()
            if name not in substitutions:
                known = ", ".join(sorted(substitutions)) or "none"
                raise UserError(f"{where}:{number}: nothing is substituted for @{name}@; there are: {known}")
            used.add(name)
            return substitutions[name].encode()

        lines.append(_PLACEHOLDER.sub(text, line))
    return b"\n".join(lines)


def layer_entries(name: str, plan: Plan, accounts: Accounts) -> tuple[list[Entry], dict[str, Source]]:
    """The entries of the layer and the bytes of its files by path. Raises UserError that begins with `name`."""
    entries: dict[str, Entry] = {}
    sources: dict[str, Source] = {}
    origins: dict[str, str] = {}

    def add(place: str, kind: str, origin: str, target: str = "") -> str:
        path = normal_path(place, name)
        if path in entries:
            raise UserError(f"{name}: /{path} is given twice, by {origins[path]} and by {origin}; keep one")
        entries[path] = Entry(path, kind, _DEFAULT_MODES[kind], target=target)
        origins[path] = origin
        return path

    for source, place in plan.files:
        sources[add(place, FILE, source)] = Path(source)
    used: set[str] = set()
    for source, place in plan.templates:
        content = Path(source).read_bytes()
        sources[add(place, FILE, source)] = fill_in(content, plan.substitutions, source, used)
    if unused := sorted(set(plan.substitutions) - used):
        raise UserError(f"{name}: no template has @{unused[0]}@; remove it from `substitutions`, or use it")
    for place in plan.directories:
        add(place, DIRECTORY, "`directories`")
    for place, target in plan.symlinks.items():
        add(place, SYMLINK, "`symlinks`", target)
    for path in entries:
        for parent in [*Path(path).parents][:-1]:
            above = entries.get(str(parent))
            if above and above.type != DIRECTORY:
                raise UserError(f"{name}: /{path} lies below /{parent}, which is a {above.type}; choose another place")

    for place, mode in plan.modes.items():
        entry = _the(entries, name, place, "modes")
        if entry.type == SYMLINK:
            raise UserError(f"{name}: modes: {place} is a symbolic link, which has no mode; name the file itself")
        entries[entry.path] = replace(entry, mode=int(mode, 8))
    for place, owner in plan.owners.items():
        entry = _the(entries, name, place, "owners")
        uid, gid = accounts.resolve(owner, f"{name}: owners: {place}")
        entries[entry.path] = replace(entry, uid=uid, gid=gid)
    return [
        measured(entry, sources[entry.path]) if entry.type == FILE else entry for entry in entries.values()
    ], sources


def _the(entries: Mapping[str, Entry], name: str, place: str, what: str) -> Entry:
    path = normal_path(place, f"{name}: {what}")
    if path not in entries:
        known = ", ".join(f"/{each}" for each in sorted(entries)) or "nothing"
        raise UserError(f"{name}: {what}: the layer has no {place}; it has: {known}")
    return entries[path]


def read_plan(path: Path) -> Plan:
    """Read the plan that the rule wrote."""
    content: dict[str, Any] = json.loads(path.read_text())
    return Plan(**content)


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="files_layer", description=__doc__)
    add_layer_options(parser)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--accounts", type=Path, help="the users and groups of the image; none: root alone")
    parser.add_argument("--override", action="append", default=[], help="a pattern of paths that replace those below")
    options = parser.parse_args(arguments)
    accounts = read_accounts(options.accounts) if options.accounts else Accounts()
    entries, sources = layer_entries(options.name, read_plan(options.plan), accounts)
    parts, zstd = [Part(options.name, entries, sources)], zstd_program(options)
    write_outputs(options.name, parts, layer_outputs(options), options.compression, zstd, options.override)
    return 0


if __name__ == "__main__":
    run(main)
