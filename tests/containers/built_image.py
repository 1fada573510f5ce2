"""An image that container_image has built, for assertions without a daemon.

`container_test` gives its place in the environment, as IMAGE: the path in the runfiles without a suffix.
"""

import json
import os
import tarfile
from pathlib import Path
from typing import Any

from tools.containers.contents import Entry, read_contents


class Image:
    """Its configuration, the tree that a container sees, and the bytes of files."""

    def __init__(self, place: str = "") -> None:
        place = place or os.environ["IMAGE"]
        self.archive = Path(f"{place}.tar")
        self.config: dict[str, Any] = json.loads(Path(f"{place}.config.json").read_text())["config"]
        self.components: list[dict[str, Any]] = json.loads(Path(f"{place}.sbom.json").read_text())["packages"][1:]
        self._tree = {entry.path: entry for entry in read_contents(Path(f"{place}.tree.json")).entries}

    @property
    def tag(self) -> str:
        """NAME:TAG, as the archive is loaded."""
        with tarfile.open(self.archive) as archive:
            tag: str = self._json(archive, "manifest.json")[0]["RepoTags"][0]
            return tag

    def entry(self, path: str) -> Entry:
        """What is at an absolute path. Raises KeyError if nothing is."""
        return self._tree[path.lstrip("/")]

    def __contains__(self, path: str) -> bool:
        return path.lstrip("/") in self._tree

    def read(self, path: str) -> bytes:
        """The bytes of a file, of the highest layer that has it."""
        with tarfile.open(self.archive) as archive:
            for blob in reversed(self._json(archive, "manifest.json")[0]["Layers"]):
                with tarfile.open(fileobj=archive.extractfile(blob)) as layer:
                    if path.lstrip("/") in layer.getnames():
                        content = layer.extractfile(path.lstrip("/"))
                        assert content, f"{path} is no file"
                        return content.read()
        raise KeyError(path)

    def users(self) -> dict[str, tuple[int, int, str]]:
        """The users by name: number, number of the group, shell."""
        users = {}
        for line in self.read("/etc/passwd").decode().splitlines():
            name, _, uid, gid, _, _, shell = line.split(":")
            users[name] = (int(uid), int(gid), shell)
        return users

    @staticmethod
    def _json(archive: tarfile.TarFile, name: str) -> Any:
        member = archive.extractfile(name)
        assert member
        return json.load(member)
