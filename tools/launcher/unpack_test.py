"""Unpacking packages that the tests make: ar, places, excludes, links, what must not be."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tools.launcher import unpack
from tools.lib.errors import UserError

Entry = tuple[str, bytes | None, str]


def _member(name: str, content: bytes) -> bytes:
    return (
        f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        + content
        + b"\n" * (len(content) % 2)
    )


def _deb(path: Path, entries: list[Entry], compression: str = "xz") -> Path:
    """A package of (name, content or None for a folder, link target)."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content, target in entries:
            info = tarfile.TarInfo(name)
            info.mode = 0o4755
            if target.startswith("hard:"):
                info.type, info.linkname = tarfile.LNKTYPE, target[5:]
            elif target:
                info.type, info.linkname = tarfile.SYMTYPE, target
            elif content is None:
                info.type = tarfile.DIRTYPE
            info.size = len(content or b"")
            archive.addfile(info, io.BytesIO(content or b""))
    path.write_bytes(
        b"!<arch>\n"
        + _member("debian-binary", b"2.0\n")
        + _member("control.tar.xz", b"odd")
        + _member(f"data.tar.{compression}", data.getvalue())
    )
    return path


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("./usr/bin/x", "usr/bin/x"),
        ("./bin/x", "usr/bin/x"),
        ("./lib/x86_64-linux-gnu/y", "usr/lib/x86_64-linux-gnu/y"),
        ("./bin", ""),
        ("./var/lib/x", ""),
        ("./usr/share/doc/x", ""),
        ("./usr/share/doc", ""),
        ("./usr/share/docker", "usr/share/docker"),
        (".", ""),
    ],
)
def test_place(name: str, place: str) -> None:
    assert unpack.place(name, ("usr/share/doc/",)) == place


@pytest.mark.parametrize("compression", ["xz", "gz"])
def test_files_links_and_modes(compression: str, tmp_path: Path) -> None:
    deb = _deb(
        tmp_path / "x.deb",
        [
            ("./usr", None, ""),
            ("./bin", None, "usr/bin"),
            ("./bin/tool", b"#!", ""),
            ("./usr/bin/same", None, "hard:./bin/tool"),
            ("./usr/bin/link", None, "tool"),
            ("./usr/share/doc/big", b"text", ""),
        ],
        compression,
    )
    root = tmp_path / "root"
    root.mkdir()
    for _ in range(2):  # the second time over an interrupted run's files
        unpack.unpack(deb, root, ("usr/share/doc",))
    assert (root / "usr/bin/tool").read_bytes() == b"#!"
    assert (root / "usr/bin/tool").stat().st_mode & 0o7777 == 0o755
    assert (root / "usr/bin/same").stat().st_ino == (root / "usr/bin/tool").stat().st_ino
    assert (root / "usr/bin/link").readlink() == Path("tool")
    assert not (root / "usr/share").exists()
    assert not (root / "bin").exists()


@pytest.mark.parametrize("name", ["./usr/../../escaped", "./usr/out/escaped"])
def test_no_file_leaves_the_root(name: str, tmp_path: Path) -> None:
    deb = _deb(tmp_path / "x.deb", [("./usr/out", None, str(tmp_path)), (name, b"bad", "")])
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(UserError, match="leads out of"):
        unpack.unpack(deb, root, ())
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"!<arch>\n", b"!<arch>\n" + _member("debian-binary", b"2.0\n")]
)
def test_what_is_no_package_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(content)
    with pytest.raises(UserError, match="x.deb: not a Debian package"):
        unpack.unpack(tmp_path / "x.deb", tmp_path / "root", ())


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(b"!<arch>\n" + _member("data.tar.lz9", b"12"))
    with pytest.raises(UserError, match="'.lz9'"):
        unpack.unpack(tmp_path / "x.deb", tmp_path / "root", ())


def test_a_link_takes_the_place_of_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "etc/apt").mkdir(parents=True)
    (tmp_path / "etc/apt/x").touch()
    unpack.link(tmp_path, "etc/apt", "/.host-etc/apt")
    unpack.link(tmp_path, "usr/bin/awk", "mawk")
    unpack.link(tmp_path, "usr/bin/awk", "gawk")
    assert (tmp_path / "etc/apt").readlink() == Path("/.host-etc/apt")
    assert (tmp_path / "usr/bin/awk").readlink() == Path("gawk")
