"""Unpacking Debian packages into the root, without dpkg, tar or any right.

A .deb (deb(5)) is an `ar` archive whose member data.tar.* holds the files. Owners and
set-user-ID bits are left out, /bin, /sbin and /lib* go to their place under /usr (the
merged layout), and only /usr and /etc are kept: the rest is the host's.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from tools.lib.errors import UserError

_MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
_KEPT = ("etc", "usr")
_MODES = {".xz": "r|xz", ".gz": "r|gz", "": "r|"}
_MAGIC = b"!<arch>\n"
_HEADER = 60


class _Part:
    """A file's next `size` bytes, as a file to read from."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, count: int) -> bytes:
        data = self._stream.read(min(count, self._left))
        self._left -= len(data)
        return data


def data_member(stream: BinaryIO, name: str) -> tuple[str, int]:
    """Go to the files' archive in a .deb: its compression (".xz") and size in bytes."""
    if stream.read(len(_MAGIC)) != _MAGIC:
        raise UserError(f"{name}: not a Debian package (no ar archive)")
    while True:
        header = stream.read(_HEADER)
        if len(header) < _HEADER or header[58:] != b"`\n" or not header[48:58].strip().isdigit():
            raise UserError(f"{name}: not a Debian package (no data.tar member)")
        member = header[:16].decode("ascii", "replace").strip().rstrip("/")
        size = int(header[48:58])
        if member.startswith("data.tar"):
            return member[len("data.tar") :], size
        stream.seek(size + size % 2, os.SEEK_CUR)


def place(name: str, exclude: Iterable[str]) -> str:
    """The place in the root for a path in a package, "" when it is left out.

    `exclude` are path prefixes: a file's or a whole folder's. Raises UserError for a
    path that leads out of the root.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UserError(f"{name}: leads out of the package")
    if len(parts) > 1 and parts[0] in _MERGED:
        parts.insert(0, "usr")
    if not parts or parts[0] not in _KEPT:
        return ""
    path = "/".join(parts)
    for prefix in exclude:
        clean = prefix.strip("/")
        if path == clean or path.startswith(clean + "/"):
            return ""
    return path


def unpack(deb: Path, root: Path, exclude: tuple[str, ...]) -> None:
    """Unpack a package's files into the root; over what an interrupted run left of them."""
    with deb.open("rb") as stream:
        compression, size = data_member(stream, deb.name)
        if compression not in _MODES:
            raise UserError(f"{deb.name}: compressed as '{compression}', which bazelw can't unpack")
        part = _Part(stream, size)
        with tarfile.open(fileobj=part, mode=_MODES[compression]) as archive:  # type: ignore[call-overload]
            for member in archive:
                path = place(member.name, exclude)
                if path:
                    _extract(archive, member, root, path, exclude)


def _extract(
    archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path, path: str, exclude: tuple[str, ...]
) -> None:
    target = root / path
    # Packages may hold links, so a file's folder is asked where it really is.
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.commonpath([root.resolve(), target.parent.resolve()]) != str(root.resolve()):
        raise UserError(f"{path}: leads out of the root")
    if member.isdir():
        target.mkdir(exist_ok=True)
        return
    if not (member.isfile() or member.issym() or member.islnk()):
        return
    if target.is_symlink() or target.exists():
        target.unlink()
    if member.issym():
        target.symlink_to(member.linkname)
    elif member.islnk():
        linked = place(member.linkname, exclude)
        if linked:
            os.link(root / linked, target, follow_symlinks=False)
    else:
        source = archive.extractfile(member)
        assert source is not None  # a regular file has content
        with source, target.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
        target.chmod(member.mode & 0o777 | 0o400)


def link(root: Path, path: str, text: str) -> None:
    """Make a link in the root, in place of what is there."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        shutil.rmtree(target)
    target.symlink_to(text)
