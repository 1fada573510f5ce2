"""Layers one over the other: the tree that a container sees, and what must not be in two of them."""

import fnmatch
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tools.containers.contents import DIRECTORY, HARDLINK, SYMLINK, WHITEOUT, Contents, Entry
from tools.lib.errors import UserError

_LINKS = 40  # as many symbolic links Linux follows in one path (path_resolution(7))
_SHOWN = 20  # as many conflicts are shown at once


@dataclass(frozen=True)
class Placed:
    """An entry and the layer that it comes from."""

    entry: Entry
    layer: str


def stack(layers: Iterable[Contents], image: str) -> dict[str, Placed]:
    """The tree of all layers, lowest first, by path.

    Raises UserError with a line for each path that two layers have with different contents, unless the upper one
    overrides it, and for each that lies below what is no folder.
    """
    tree: dict[str, Placed] = {}
    conflicts: list[str] = []
    for contents in layers:
        files = {entry.path: entry for entry in contents.entries}
        for entry in contents.entries:
            if entry.type == HARDLINK:
                entry = replace(files[entry.target], path=entry.path)
            folder, _, name = entry.path.rpartition("/")
            if name.startswith(WHITEOUT):
                gone = f"{folder}/{name.removeprefix(WHITEOUT)}".lstrip("/")
                for path in [path for path in tree if path == gone or path.startswith(gone + "/")]:
                    del tree[path]
                continue
            conflict = _conflict(entry, contents, tree)
            if conflict:
                conflicts.append(conflict)
            tree[entry.path] = Placed(entry, contents.layer)
    if conflicts:
        more = [f"and {len(conflicts) - _SHOWN} more"] if len(conflicts) > _SHOWN else []
        raise UserError("\n  ".join([f"{image}: layers don't fit together:", *conflicts[:_SHOWN], *more]))
    return tree


def _conflict(entry: Entry, contents: Contents, tree: Mapping[str, Placed]) -> str:
    """What is wrong with an entry over a tree, or ""."""
    folder = posixpath.dirname(entry.path)
    while folder:
        above = tree.get(folder)
        if above and above.entry.type == SYMLINK:
            place = posixpath.join("/", posixpath.dirname(folder), above.entry.target, entry.path[len(folder) + 1 :])
            return (
                f"/{entry.path} of {contents.layer}: /{folder} is a symbolic link in {above.layer}; "
                f"write {posixpath.normpath(place)}"
            )
        if above and above.entry.type != DIRECTORY:
            return f"/{entry.path} of {contents.layer}: /{folder} is a {above.entry.type} in {above.layer}"
        folder = posixpath.dirname(folder)
    below = tree.get(entry.path)
    if below is None or below.entry == entry or any(fnmatch.fnmatch(entry.path, each) for each in contents.overrides):
        return ""
    return (
        f"/{entry.path}: {below.layer} has a {below.entry.describe()}; {contents.layer} has a {entry.describe()}; "
        "keep one, or name the path in `overrides` of the upper layer"
    )


def find(tree: Mapping[str, Placed], path: str) -> Entry | None:
    """What an absolute path leads to in a container, through symbolic links; None if nothing is there."""
    parts = [part for part in path.split("/") if part]
    found: list[str] = []
    links = 0
    while parts:
        part = parts.pop(0)
        if part in (".", ".."):
            found = found[:-1] if part == ".." else found
            continue
        place = "/".join([*found, part])
        entry = tree[place].entry if place in tree else None
        if entry and entry.type == SYMLINK:
            links += 1
            if links > _LINKS:
                return None
            if entry.target.startswith("/"):
                found = []
            parts = [*(each for each in entry.target.split("/") if each), *parts]
            continue
        found.append(part)
    final = "/".join(found)
    return tree[final].entry if final in tree else None
