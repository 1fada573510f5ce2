"""Write cpio archives in the form that the Linux kernel unpacks as its initramfs ("newc").

The form is that of Documentation/driver-api/early-userspace/buffer-format.rst: per entry a
header of 8-digit hexadecimal fields, the name and the content, each padded to 4 bytes. The
kernel takes several archives one after the other; later entries replace earlier ones.
"""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

_MAGIC = b"070701"
_TRAILER = "TRAILER!!!"
# The kernel looks for the next archive at a multiple of 4; cpio(1) pads to a block of this size.
_BLOCK = 512


@dataclass(frozen=True)
class Entry:
    """A file of an archive, owned by root, with a name that doesn't start with "/".

    `mode` has the type (stat.S_IFREG and so on) and the permissions; `content` is a link's
    target for a symbolic link; `device` is (major, minor) of a device node.
    """

    name: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def regular(name: str, content: bytes, mode: int = 0o644) -> Entry:
    """A regular file."""
    return Entry(name, stat.S_IFREG | mode, content)


def folder(name: str, mode: int = 0o755) -> Entry:
    """A folder."""
    return Entry(name, stat.S_IFDIR | mode)


def link(name: str, target: str) -> Entry:
    """A symbolic link."""
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def character_device(name: str, major: int, minor: int, mode: int = 0o600) -> Entry:
    """A character device."""
    return Entry(name, stat.S_IFCHR | mode, device=(major, minor))


def archive(entries: Iterable[Entry]) -> bytes:
    """The archive of these entries and of the folders above them, the same bytes in whatever order they come.

    Of two entries with one name the later counts.
    """
    named = {entry.name: entry for entry in entries}
    for name in list(named):
        for parent in map(str, PurePosixPath(name).parents):
            if parent != ".":
                named.setdefault(parent, folder(parent))
    # A folder's name is the beginning of those below it, so it comes before them.
    packed = b"".join(_pack(number, named[name]) for number, name in enumerate(sorted(named), 1))
    packed += _pack(0, Entry(_TRAILER, 0))
    return packed + bytes(-len(packed) % _BLOCK)


def _pack(number: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    owner, time, check = (0, 0), 0, 0
    fields = (number, entry.mode, *owner, links, time, len(entry.content), 0, 0, *entry.device, len(name), check)
    header = _MAGIC + b"".join(b"%08X" % field for field in fields) + name
    return b"".join((header, bytes(-len(header) % 4), entry.content, bytes(-len(entry.content) % 4)))
