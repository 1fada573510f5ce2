"""Module sources out of packages: a folder of a .deb as the source's root."""

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.kernels.kernel_root import runtime
from tools.kernels.source_archive import main
from tools.lib.errors import UserError
from tools.roots.clock import SOURCE_DATE_EPOCH
from tools.roots.pruned_archive import prune


def package(path: Path) -> Path:
    """A .deb (deb(5): an ar archive of three members) with a script, a link and a hard link in usr/src/m-1."""
    data = BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, kind, target, mode in [
            ("./usr/src/m-1", tarfile.DIRTYPE, "", 0o755),
            ("./usr/src/m-1/run.sh", tarfile.REGTYPE, "", 0o555),
            ("./usr/src/m-1/sub/m.c", tarfile.REGTYPE, "", 0o644),
            ("./usr/src/m-1/link.c", tarfile.SYMTYPE, "sub/m.c", 0o777),
            ("./usr/src/m-1/hard.c", tarfile.LNKTYPE, "./usr/src/m-1/sub/m.c", 0o644),
            ("./usr/src/m-10/other.c", tarfile.REGTYPE, "", 0o644),
        ]:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode, entry.mtime = kind, target, mode, 1
            content = name.encode() if kind == tarfile.REGTYPE else b""
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))
    control = BytesIO()
    tarfile.open(fileobj=control, mode="w").close()
    members = [("debian-binary", b"2.0\n"), ("control.tar", control.getvalue()), ("data.tar", data.getvalue())]
    parts = [b"!<arch>\n"]
    for name, content in members:
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content)
        parts.append(b"\n" * (len(content) % 2))
    path.write_bytes(b"".join(parts))
    return path


def archive(folder: Path, prefix: str) -> Path:
    output = folder / "source.tar"
    (folder / "made.h").write_text("made")
    words = ["--runtime", str(runtime()), "--output", str(output), "--strip-prefix", prefix]
    main([*words, "--package", str(package(folder / "m.deb")), f"generated/made.h={folder}/made.h"])
    return output


def test_a_folder_and_what_is_generated(tmp_path: Path) -> None:
    with tarfile.open(archive(tmp_path, "/usr/src/m-1/")) as found:
        members = {member.name: member for member in found}
    assert list(members) == ["run.sh", "sub/m.c", "link.c", "hard.c", "generated/made.h"]
    assert {member.mtime for member in members.values()} == {SOURCE_DATE_EPOCH}
    assert members["run.sh"].mode == 0o755
    assert members["link.c"].linkname == "sub/m.c" and members["link.c"].issym()
    assert members["hard.c"].linkname == "sub/m.c" and members["hard.c"].islnk()


def test_a_folder_that_the_package_lacks(tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        archive(tmp_path, "usr/src/m-2")
    assert str(raised.value) == (
        "m.deb: has no folder 'usr/src/m-2'; correct `strip_prefix`; it has: usr/src/m-1, usr/src/m-1/sub, usr/src/m-10"
    )
    assert not (tmp_path / "source.tar").exists()


def test_c_files_that_the_package_lacks(tmp_path: Path) -> None:
    words = ["--runtime", str(runtime()), "--output", f"{tmp_path}/source.tar", "--strip-prefix", "usr/src/m-1"]
    words += ["--package", str(package(tmp_path / "m.deb")), "--target", "//net:m"]
    words += ["--outline", f"{tmp_path}/outline.tar", "--headers", f"{tmp_path}/headers.tar"]
    main([*words, "--c-file", f"sub/m.c={tmp_path}/m.c"])
    assert (tmp_path / "m.c").read_text() == "./usr/src/m-1/sub/m.c"
    with pytest.raises(UserError) as raised:
        main([*words, "--c-file", f"m.c={tmp_path}/m.c"])
    assert str(raised.value) == (
        "//net:m: `package` has no m.c; correct `package_c_files`; it has: hard.c, link.c, sub/m.c"
    )


def test_a_pruned_archive(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "whole.tar", "w") as archive:
        for name in ("./usr/bin/gcc", "./usr/bin/perl5", "./usr/lib/gcc/x/12/libgcc.a", "./var/x", "./usr/var/y"):
            archive.addfile(tarfile.TarInfo(name))
    prune(runtime(), tmp_path / "whole.tar", tmp_path / "pruned.tar", ["usr/bin/perl*", "usr/lib/gcc/*.a", "var"])
    with tarfile.open(tmp_path / "pruned.tar") as found:
        assert found.getnames() == ["./usr/bin/gcc", "./usr/var/y"]
    (tmp_path / "broken.tar").write_bytes(b"no archive" * 100)
    with pytest.raises(UserError, match="broken.tar: cannot copy to"):
        prune(runtime(), tmp_path / "broken.tar", tmp_path / "none.tar", [])
    assert not (tmp_path / "none.tar").exists()
