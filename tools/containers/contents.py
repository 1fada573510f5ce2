"""What a layer holds, as data: the entries of its tar, without their bytes.

Contents are JSON files beside the blobs. Conflicts between layers, structure tests and reports read them, so none of
these opens a blob:

    {"layer": NAME, "overrides": [PATTERN, ...], "entries": [{"path": ..., "type": ..., ...}, ...]}

A path has no leading slash and no "." or ".."; `mode` is octal digits; `sha256` is that of a file's bytes; `target`
is what a symbolic link says, or the path of a hard link's file. `overrides` are shell patterns of the paths that the
layer may replace in layers below it.

The file of a layer of several parts (`tools.containers.layer`) is a list of theirs, so that messages name the part.
"""

import json
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.lib.errors import UserError

FILE, DIRECTORY, SYMLINK, HARDLINK, CHARACTER, FIFO = "file", "directory", "symlink", "hardlink", "character", "fifo"
# A file of this name deletes NAME of a layer below (OCI image specification, "Whiteouts").
WHITEOUT = ".wh."


@dataclass(frozen=True)
class Entry:
    """One member of a layer. `mode` has permission bits, set-id and sticky bits; `device` is (major, minor)."""

    path: str
    type: str
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    sha256: str = ""
    target: str = ""
    device: tuple[int, int] = (0, 0)

    def to_json(self) -> dict[str, Any]:
        """The entry as contents have it; what is empty is left out."""
        content: dict[str, Any] = {"path": self.path, "type": self.type, "mode": f"{self.mode:04o}"}
        content |= {"uid": self.uid, "gid": self.gid}
        if self.type == FILE:
            content |= {"size": self.size, "sha256": self.sha256}
        if self.target:
            content["target"] = self.target
        if self.type == CHARACTER:
            content["device"] = list(self.device)
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Entry":
        """Read back what `to_json` gave."""
        device = content.get("device", [0, 0])
        return cls(**content | {"mode": int(content["mode"], 8), "device": (device[0], device[1])})

    def describe(self) -> str:
        """The entry in words, for messages."""
        what = f"{self.type} {self.mode:04o} {self.uid}:{self.gid}"
        if self.type == FILE:
            return f"{what}, {self.size} bytes, SHA-256 {self.sha256[:12]}"
        return f"{what} to {self.target}" if self.target else what


@dataclass(frozen=True)
class Contents:
    """The entries of one layer, sorted by path."""

    layer: str
    entries: Sequence[Entry]
    overrides: Sequence[str] = ()

    def to_json(self) -> str:
        """The file's text."""
        entries = ",\n".join(json.dumps(entry.to_json(), sort_keys=True) for entry in self.entries)
        head = f'"layer": {json.dumps(self.layer)}, "overrides": {json.dumps(list(self.overrides))}'
        return f'{{{head}, "entries": [\n{entries}\n]}}\n'


def read_contents(path: Path) -> Contents:
    """Read a contents file that this repository's tools wrote."""
    return _contents(json.loads(path.read_text()))


def _contents(content: dict[str, Any]) -> Contents:
    entries = [Entry.from_json(entry) for entry in content["entries"]]
    return Contents(content["layer"], entries, content["overrides"])


def read_parts(path: Path) -> list[Contents]:
    """The contents of a layer, or of each of its parts, lowest first."""
    content = json.loads(path.read_text())
    return [_contents(part) for part in (content if isinstance(content, list) else [content])]


def normal_path(text: str, where: str) -> str:
    """An absolute path of a container without its slash. Raises UserError, which begins with `where`."""
    if not text.startswith("/") or ".." in text.split("/") or posixpath.normpath(text) in ("/", "//"):
        raise UserError(f"{where}: '{text}' is no absolute path of a container; expected one like /etc/app/app.conf")
    return posixpath.normpath(text).lstrip("/")
