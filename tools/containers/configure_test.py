"""What of a configured tree becomes a layer; tests/containers/packages configures real packages."""

import os
from pathlib import Path

import pytest

from tools.containers.configure import (
    Owned,
    apply_whiteouts,
    check_complete,
    difference,
    parse_record,
    preloaded,
    read_tree,
    to_record,
)
from tools.containers.contents import DIRECTORY, FILE, HARDLINK, SYMLINK, Entry
from tools.containers.layer import measured
from tools.lib.errors import UserError


def test_the_c_library_s_malloc_goes_before_jemalloc(tmp_path: Path) -> None:
    assert "libc.so.6" not in preloaded(tmp_path)
    folder = tmp_path / "usr/lib/x86_64-linux-gnu"
    folder.mkdir(parents=True)
    (folder / "libjemalloc.so.2").touch()
    assert preloaded(tmp_path)[-1] == "libc.so.6"


def test_fakeroot_s_record() -> None:
    text = "dev=fe01,ino=12,mode=100640,uid=0,gid=42,nlink=1,rdev=0\n"
    assert parse_record(text) == {(0xFE01, 12): Owned(0o100640, 0, 42)}


def test_a_tree_is_read_with_recorded_owners(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir(mode=0o755)
    (tmp_path / "etc/shadow").write_text("x")
    (tmp_path / "etc/shadow").chmod(0o600)
    (tmp_path / "etc/link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    status = (tmp_path / "etc/shadow").lstat()
    found = read_tree(tmp_path, {(status.st_dev, status.st_ino): Owned(0o100640, 0, 42)})
    assert found["etc/shadow"] == measured(Entry("etc/shadow", FILE, 0o640, 0, 42), b"x")
    assert found["etc"] == Entry("etc", DIRECTORY, 0o755)
    assert found["etc/link"] == Entry("etc/link", SYMLINK, 0o777, target="nowhere")
    assert sorted(found) == ["etc", "etc/link", "etc/shadow", "fifo"]


def test_a_record_has_what_files_can_t(tmp_path: Path) -> None:
    for name in ("shadow", "passwd", "tool"):
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(0o640 if name == "shadow" else 0o755)
    entries = [
        measured(Entry("passwd", FILE, 0o755), b"passwd"),
        measured(Entry("shadow", FILE, 0o640, 0, 42), b"shadow"),
        measured(Entry("tool", FILE, 0o4755, 5, 5), b"tool"),
    ]
    record = parse_record(to_record(tmp_path, entries))
    assert sorted(record.values(), key=str) == [Owned(0o100640, 0, 42), Owned(0o104755, 5, 5)]
    assert sorted(read_tree(tmp_path, record).values(), key=str) == sorted(entries, key=str)


def test_whiteouts_remove_what_they_name(tmp_path: Path) -> None:
    (tmp_path / "tree/etc/gone").mkdir(parents=True)
    for name in (".wh.gone", ".wh.old", "gone/file", "kept", "old"):
        (tmp_path / "tree/etc" / name).touch()
    apply_whiteouts(tmp_path / "tree")
    assert [path.name for path in (tmp_path / "tree/etc").iterdir()] == ["kept"]


def test_the_difference() -> None:
    same, old, new = (measured(Entry("etc/a", FILE), text) for text in (b"1", b"1", b"2"))
    below = {
        "etc": Entry("etc", DIRECTORY, 0o755),
        "etc/a": old,
        "usr/b": measured(Entry("usr/b", FILE), b"b"),
        "usr/c": Entry("usr/c", HARDLINK, target="usr/b"),
        "gone": Entry("gone", DIRECTORY, 0o755),
        "gone/file": Entry("gone/file", FILE),
        "var/log/dpkg.log": Entry("var/log/dpkg.log", FILE),
    }
    kept = {name: entry for name, entry in below.items() if "/b" in name or name == "etc"}
    kept["usr/c"] = measured(Entry("usr/c", FILE), b"b")
    assert difference(below, kept | {"etc/a": same}) == [measured(Entry(".wh.gone", FILE), b"")]
    changed = kept | {"etc/a": new, "run/x": Entry("run/x", FILE), "gone": below["gone"]}
    assert difference(below, changed) == [new, measured(Entry("gone/.wh.file", FILE), b"")]
    assert difference({}, {"etc/a": Entry("etc/a", FILE, uid=5)})[0].uid == 5


def test_packages_left_unfinished_are_named() -> None:
    installed = "Package: a\nStatus: install ok installed\nDescription: b\n Status: c\n"
    check_complete("x", installed)
    with pytest.raises(UserError, match=r"x: dpkg left packages unfinished: b \(install ok half-configured\)"):
        check_complete("x", f"{installed}\nPackage: b\nStatus: install ok half-configured\n")
