"""The lock file: Debian packages pinned by name, version, size and SHA-256.

A lock is JSON, one package to an entry, sorted, without any host name: the place of
a package is an archive ("debian", "debian-security") and a path inside it, as the
`Filename` field of a Packages index gives it (deb-src(5), "Debian Repository Format").
A package that was added by URL has `url` instead of `archive` and `path`.

The launcher reads a lock before any package of its own is there: this module and those
that it imports stay within Python 3.9 and its standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.lib.errors import UserError
from tools.lib.files import write_atomically

SCHEMA = 1
ARCHIVES = ("debian", "debian-security")


@dataclass(frozen=True, order=True)
class Package:
    """One pinned package.

    `layer` is the extra that wants it ("" for the base of a root); `size` is in bytes;
    `sha256` is 64 hexadecimal digits.
    """

    layer: str
    name: str
    version: str
    arch: str
    sha256: str
    size: int
    archive: str = ""
    path: str = ""
    url: str = ""


@dataclass(frozen=True)
class Lock:
    """A lock file's content. `spec_sha256` is the digest of the file it was made from.

    `exclude` (path prefixes left out) and `links` (link path to its target's text) repeat
    what the root's YAML says, for who has no YAML parser: the launcher.
    """

    name: str
    packages: tuple[Package, ...]
    spec_sha256: str = ""
    schema: int = field(default=SCHEMA)
    exclude: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The one text for this lock: sorted, two-space indent, a final newline."""
        packages = [
            {key: value for key, value in asdict(package).items() if value != ""}
            for package in sorted(self.packages)
        ]
        content: dict[str, Any] = {"schema": self.schema, "name": self.name}
        if self.spec_sha256:
            content["spec_sha256"] = self.spec_sha256
        if self.exclude:
            content["exclude"] = sorted(self.exclude)
        if self.links:
            content["links"] = dict(sorted(self.links.items()))
        return json.dumps(content | {"packages": packages}, indent=2) + "\n"


def read_lock(path: Path) -> Lock:
    """Read a lock file. Raises UserError that names the file, the line and the mend."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such lock file; make it with: ./bazelw run //roots:update") from error
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}:{error.lineno}: not JSON ({error.msg}); restore the file from git or make it anew"
        ) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise UserError(f"{path}: expected a lock with schema {SCHEMA}; make it anew with: ./bazelw run //roots:update")
    try:
        packages = tuple(Package(**({"layer": ""} | entry)) for entry in content["packages"])
        return Lock(
            content["name"],
            packages,
            content.get("spec_sha256", ""),
            exclude=tuple(content.get("exclude", ())),
            links=content.get("links", {}),
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: a package entry is not as expected ({error}); make the lock anew") from error


def write_lock(path: Path, lock: Lock) -> None:
    """Write the lock in one step."""
    write_atomically(path, lock.to_json())
