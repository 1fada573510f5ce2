"""What becomes of a package's members."""

import io
import tarfile

from tools.containers.contents import DIRECTORY, FILE, HARDLINK, SYMLINK
from tools.containers.package_layer import info_prefix, is_excluded, merged, package_entries


def tar(*members: tuple[str, bytes, dict[str, object]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content, fields in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for field, value in fields.items():
                setattr(member, field, value)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def folder(name: str, mode: int = 0o755) -> tuple[str, bytes, dict[str, object]]:
    return name, b"", {"type": tarfile.DIRTYPE, "mode": mode}


DATA = tar(
    folder("./"),
    folder("./bin"),
    ("./bin/a", b"program", {"mode": 0o2755, "gid": 42, "gname": "shadow"}),
    ("./bin/b", b"", {"type": tarfile.LNKTYPE, "linkname": "./bin/a"}),
    folder("./usr/share/doc"),
    folder("./usr/share/doc/a"),
    folder("./usr/share/doc/a/examples"),
    ("./usr/share/doc/a/copyright", b"free", {}),
    ("./usr/share/doc/a/README", b"read", {}),
    ("./usr/share/doc/liba", b"", {"type": tarfile.SYMTYPE, "linkname": "a"}),
    folder("./usr/share/man"),
    ("./usr/share/man/a.1", b"man", {}),
    folder("./var/a", 0o1777),
)
CONTROL = tar(
    ("./control", b"Package: a\nArchitecture: amd64\nDescription: x\n Multi-Arch: same\n", {}),
    ("./postinst", b"#!/bin/sh\n", {"mode": 0o755}),
    ("./md5sums", b"", {}),
)


def test_members() -> None:
    listed, sources = package_entries(DATA, CONTROL)
    entries = {entry.path: entry for entry in listed}
    assert sorted(entries) == [
        "usr/bin/a",
        "usr/bin/b",
        "usr/share/doc",
        "usr/share/doc/a",
        "usr/share/doc/a/copyright",
        "usr/share/doc/liba",
        "usr/share/man",
        "var/a",
        "var/lib/dpkg/info/a.list",
        "var/lib/dpkg/info/a.md5sums",
        "var/lib/dpkg/info/a.postinst",
    ]
    a, b = entries["usr/bin/a"], entries["usr/bin/b"]
    assert (a.type, a.mode, a.uid, a.gid, a.size) == (FILE, 0o2755, 0, 42, 7)
    assert (b.type, b.target, b.mode, b.gid) == (HARDLINK, "usr/bin/a", 0o2755, 42)
    assert (entries["var/a"].type, entries["var/a"].mode) == (DIRECTORY, 0o1777)
    assert entries["usr/share/doc/liba"].type == SYMLINK
    assert entries["var/lib/dpkg/info/a.postinst"].mode == 0o755
    # dpkg lists what the package has, not what is left of it.
    lines = sources["var/lib/dpkg/info/a.list"]
    assert isinstance(lines, bytes)
    assert lines.decode().splitlines()[:3] == ["/.", "/bin", "/bin/a"]
    assert b"/usr/share/man/a.1\n" in lines


def test_paths() -> None:
    assert [merged(path) for path in ("bin/a", "lib", "lib64/b")] == ["usr/bin/a", "lib", "usr/lib64/b"]
    assert merged("library/c") == "library/c"
    assert is_excluded("usr/share/man/man1/a.1") and is_excluded("usr/share/doc/a/README")
    assert not is_excluded("usr/share/doc/a/copyright") and not is_excluded("usr/share/doc")


def test_the_name_in_dpkg_s_folder() -> None:
    assert info_prefix("Package: libc6\nArchitecture: amd64\nMulti-Arch: same\n") == "libc6:amd64"
    assert info_prefix("Package: dpkg\nArchitecture: amd64\nMulti-Arch: foreign\n") == "dpkg"
