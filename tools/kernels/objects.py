"""Objects that actions of their own have compiled, as kbuild finds them when it links.

kbuild itself links: it finds each object with the command that it would run for it, and compiles what is missing or
differs. Objects are dated ahead, so that a header that the build generates again doesn't make them old; instead what
they were compiled with is compared afterwards with what the build has.
"""

import json
import os
import re
import tarfile
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

# What kbuild makes of sources (Documentation/kbuild/modules.rst).
PRODUCTS = (".a", ".cmd", ".d", ".ko", ".mod", ".mod.c", ".o", ".order", ".symvers")
# How the first line of a build's log starts when no object has an action of its own; the reason follows.
WHOLE = "Built as a whole: "
_TREE = "tree/"
_AHEAD = 86400
# What make says of files that are dated ahead, with seconds that no two builds have in common.
_SKEW = re.compile(
    rb"^make(\[\d+\])?: (Warning: File '.*' has modification time \S+ s in the future"
    rb"|warning:  Clock skew detected\.  Your build may be incomplete\.)\n",
    re.MULTILINE,
)


def without_skew(log: bytes) -> bytes:
    """A build's log without make's complaints of the objects' dates."""
    return _SKEW.sub(b"", log)


def digests(tree: Path) -> dict[str, str]:
    """The SHA-256 of each file below `tree` that isn't a product of kbuild, by its path there."""
    return {
        str(path.relative_to(tree)): sha256(path.read_bytes()).hexdigest()
        for path in tree.rglob("*")
        if not path.is_symlink() and path.is_file() and not path.name.endswith(PRODUCTS)
    }


def changed(before: Mapping[str, str], generated: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The files that objects may have been compiled with and that are others after the build.

    `before` is the source, `generated` what the plan's run wrote over it, `after` what the build left.
    """
    seen = {**before, **generated}
    different = {name for name, digest in seen.items() if after.get(name) != digest}
    # What nothing was compiled with, and would have been if the plan had known of it.
    return sorted(different | {name for name in after if name.endswith(".h") and name not in seen})


class Objects:
    """The objects of a build, in the folder where the link's action has them.

    planned: how many objects the plan has. linked: the C files of those that only the link can make. reason: why the
    plan has none. log: what the compilers printed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        summary = json.loads((folder / "plan.json").read_text())
        self.planned: int = summary["objects"]
        self.linked: list[str] = summary["linked"]
        self.reason: str = summary["reason"]
        self.log = ""
        self._placed: dict[Path, int] = {}

    def generated(self) -> dict[str, str]:
        """The SHA-256 of each file that the plan's run generated."""
        found = {}
        with tarfile.open(self._folder / "generated.tar") as archive:
            for entry in archive:
                stream = archive.extractfile(entry)
                found[entry.name] = sha256(stream.read() if stream else b"").hexdigest()
        return found

    def place(self, tree: Path) -> None:
        """Put the objects into the tree, dated ahead, with the files that kbuild keeps beside them."""
        date = time.time() + _AHEAD
        archives = [path for path in self._folder.glob("*.tar") if path.stem.isdigit()]
        for path in sorted(archives, key=lambda path: int(path.stem)):
            with tarfile.open(path) as archive:
                for entry in archive:
                    stream = archive.extractfile(entry)
                    content = stream.read() if stream else b""
                    if not entry.name.startswith(_TREE):
                        self.log += content.decode(errors="replace")
                        continue
                    file = tree / entry.name.removeprefix(_TREE)
                    file.write_bytes(content)
                    os.utime(file, (date, date))
                    if file.suffix == ".o":
                        self._placed[file] = file.stat().st_mtime_ns

    def note(self) -> str:
        """What the build's log says of the objects, after the build."""
        if self.reason:
            return f"{WHOLE}{self.reason}\n"
        kept = [file for file, date in self._placed.items() if file.exists() and file.stat().st_mtime_ns == date]
        again = sorted(file.name for file in self._placed if file not in kept)
        note = f"Objects compiled by actions of their own: {len(kept)} of {self.planned}."
        note += f" kbuild compiled again: {', '.join(again)}." if again else ""
        note += f" No file of the source, compiled by the link: {', '.join(self.linked)}." if self.linked else ""
        return note + "\n"
