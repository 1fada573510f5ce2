"""The files of a userland, and busybox's applets among them."""

from pathlib import Path

from tools.initramfs.userland import applet_links, fixed_entries, real_place, tree


def test_a_root_s_files_links_and_modes(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/local/bin").mkdir(parents=True)
    (tmp_path / "usr/local/bin/uname").touch()
    (tmp_path / "build").mkdir()
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "usr/bin/ip").write_bytes(b"ELF")
    (tmp_path / "usr/bin/ip").chmod(0o755)
    entries = {entry.name: entry for entry in tree(tmp_path)}
    assert set(entries) == {"bin", "usr", "usr/bin", "usr/bin/ip"}
    assert entries["bin"].content == b"usr/bin"
    assert (entries["usr/bin/ip"].content, entries["usr/bin/ip"].mode & 0o777) == (b"ELF", 0o755)


def test_applets_are_linked_where_the_root_has_no_such_program() -> None:
    links = list(applet_links(["bin/ls", "sbin/ip", "usr/bin/["], {"usr/bin/ip", "etc/ls"}))
    assert [(entry.name, entry.content) for entry in links] == [
        ("usr/bin/ls", b"/bin/busybox"),
        ("usr/bin/[", b"/bin/busybox"),
    ]


def test_places_behind_the_links_of_a_merged_usr() -> None:
    assert [real_place(name) for name in ("bin/vr", "lib64/x", "usr/bin/vr", "etc/x", "library")] == [
        "usr/bin/vr", "usr/lib64/x", "usr/bin/vr", "etc/x", "library",
    ]  # fmt: skip


def test_the_kernel_finds_a_console() -> None:
    assert "dev/console" in {entry.name for entry in fixed_entries()}
