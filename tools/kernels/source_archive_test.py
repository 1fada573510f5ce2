"""Archives of workspace files: names, modes and times, the same bytes each time."""

import tarfile
from pathlib import Path

from tools.kernels.source_archive import main
from tools.roots.clock import SOURCE_DATE_EPOCH


def archive(folder: Path, *files: str) -> Path:
    output = folder / "source.tar"
    assert main(["--runtime", "unused", "--output", str(output), *files]) == 0
    return output


def test_files_in_name_order_with_one_mode(tmp_path: Path) -> None:
    (tmp_path / "b.c").write_text("int b;\n")
    (tmp_path / "b.c").chmod(0o600)
    (tmp_path / "run").write_text("#!/bin/sh\n")
    (tmp_path / "run").chmod(0o711)
    output = archive(tmp_path, f"src/run={tmp_path}/run", f"b.c={tmp_path}/b.c")
    with tarfile.open(output) as members:
        found = [(member.name, member.mode, member.mtime, member.uid, member.uname) for member in members]
    assert found == [("b.c", 0o755, SOURCE_DATE_EPOCH, 0, ""), ("src/run", 0o755, SOURCE_DATE_EPOCH, 0, "")]


def test_links_to_files_are_the_files(tmp_path: Path) -> None:
    """Bazel's sandbox shows inputs as links."""
    (tmp_path / "real.c").write_text("int a;\n")
    (tmp_path / "a.c").symlink_to("real.c")
    with tarfile.open(archive(tmp_path, f"a.c={tmp_path}/a.c")) as members:
        (member,) = members.getmembers()
        content = members.extractfile(member)
        assert member.isreg() and content is not None and content.read() == b"int a;\n"


def test_order_of_arguments_doesnt_count(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    arguments = [f"a={tmp_path}/a", f"b={tmp_path}/b"]
    first = archive(tmp_path, *arguments).read_bytes()
    (tmp_path / "a").touch()
    assert archive(tmp_path, *reversed(arguments)).read_bytes() == first
