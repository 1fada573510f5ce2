"""The bytes of an archive, by the kernel's description of the form and by libarchive's reading of it."""

import random
import stat
import subprocess
from pathlib import Path

import pytest

from tools.initramfs.cpio import Entry, archive, character_device, folder, link, regular

BSDTAR = Path("../tool_runtime/bin/bsdtar")
ENTRIES = [
    regular("usr/bin/tool", b"#!/bin/sh\n", 0o755),
    link("bin", "usr/bin"),
    folder("tmp", 0o1777),
    character_device("dev/console", 5, 1),
    regular("empty", b""),
]


def test_header_of_an_entry() -> None:
    packed = archive([regular("ab", b"12345")])
    fields = [1, stat.S_IFREG | 0o644, 0, 0, 1, 0, 5, 0, 0, 0, 0, 3, 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + b"ab\0"
    # 113 bytes, padded to a multiple of 4, as is the content.
    assert packed.startswith(header + b"\0\0\0" + b"12345\0\0\0" + b"070701")
    assert b"TRAILER!!!" in packed
    assert len(packed) % 512 == 0


def test_the_same_bytes_in_any_order() -> None:
    shuffled = list(ENTRIES)
    random.Random(1).shuffle(shuffled)
    assert archive(shuffled) == archive(ENTRIES)


def test_the_later_of_two_counts() -> None:
    assert archive([regular("a", b"1"), regular("a", b"2")]) == archive([regular("a", b"2")])


def test_folders_come_before_what_is_in_them() -> None:
    assert archive([regular("a/b/c", b"")]) == archive([regular("a/b/c", b""), folder("a"), folder("a/b")])


def test_others_read_the_same(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(archive(ENTRIES))
    listed = subprocess.run(
        [BSDTAR, "-tvf", tmp_path / "archive"], stdout=subprocess.PIPE, text=True, check=True, env={"TZ": "UTC"}
    ).stdout.splitlines()
    found = [(line.split()[0], line.split(maxsplit=8)[-1]) for line in listed]
    assert found == [
        ("lrwxrwxrwx", "bin -> usr/bin"),
        ("drwxr-xr-x", "dev"),
        ("crw-------", "dev/console"),
        ("-rw-r--r--", "empty"),
        ("drwxrwxrwt", "tmp"),
        ("drwxr-xr-x", "usr"),
        ("drwxr-xr-x", "usr/bin"),
        ("-rwxr-xr-x", "usr/bin/tool"),
    ]
    assert all(line.split()[2:4] == ["0", "0"] for line in listed)


@pytest.mark.parametrize("entry", [Entry("x", stat.S_IFREG, b"x" * size) for size in range(5)])
def test_contents_of_any_length(entry: Entry, tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(archive([entry]))
    words = [str(BSDTAR), "-xOf", f"{tmp_path}/archive", "x"]
    assert subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout == entry.content
