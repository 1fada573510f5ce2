"""What an edit of a source's file changes, and what it doesn't."""

import tarfile
from io import BytesIO
from pathlib import Path

from tools.kernels.parts import STUB, write_parts
from tools.kernels.source_archive import archive_files

FILES = {
    "Kbuild": "obj-m := m.o\n",
    "README": "of m\n",
    "a.c": '#include "a.h"\n#  include <tables/t.def>\n',
    "b.c": '#if __has_include("b-parts.c")\n#include "b-parts.c"\n#endif\n',
    "b-parts.c": "int b;\n",
    "include/a.h": "int a;\n",
    "tables/t.def": "1, 2\n",
}


def contents(path: Path) -> dict[str, bytes]:
    """The files of a tar."""
    with tarfile.open(path) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]


def parts(folder: Path, files: dict[str, str], *c_files: str) -> tuple[Path, Path, list[str]]:
    """Make the parts of `files` in `folder`: outline, headers, and the C files that aren't there."""
    paths = {}
    for name, text in files.items():
        paths[name] = folder / "files" / name
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_text(text)
    archive_files(paths, folder / "source.tar")
    wanted = {name: folder / name.replace("/", "_") for name in c_files}
    missing = write_parts(folder / "source.tar", folder / "outline.tar", folder / "headers.tar", wanted)
    return folder / "outline.tar", folder / "headers.tar", missing


def test_an_outline_has_every_file_and_no_c(tmp_path: Path) -> None:
    outline, _, _ = parts(tmp_path, FILES)
    found = contents(outline)
    assert set(found) == set(FILES)
    assert {name for name, text in found.items() if text == STUB} == {"a.c", "b.c", "b-parts.c"}
    assert found["Kbuild"] == b"obj-m := m.o\n"


def test_headers_are_what_can_be_included(tmp_path: Path) -> None:
    _, headers, _ = parts(tmp_path, FILES)
    assert contents(headers) == {
        name: FILES[name].encode() for name in ("b-parts.c", "include/a.h", "tables/t.def")
    }


def test_an_edit_of_a_c_file_changes_neither(tmp_path: Path) -> None:
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
    old = parts(tmp_path / "old", FILES)
    new = parts(tmp_path / "new", FILES | {"a.c": FILES["a.c"] + "int more;\n"})
    assert old[0].read_bytes() == new[0].read_bytes()
    assert old[1].read_bytes() == new[1].read_bytes()


def test_an_edit_of_a_makefile_changes_no_headers(tmp_path: Path) -> None:
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
    old = parts(tmp_path / "old", FILES)
    new = parts(tmp_path / "new", FILES | {"Kbuild": "# m\nobj-m := m.o\n"})
    assert old[0].read_bytes() != new[0].read_bytes()
    assert old[1].read_bytes() == new[1].read_bytes()


def test_c_files_of_a_package(tmp_path: Path) -> None:
    _, _, missing = parts(tmp_path, FILES, "a.c", "gone.c")
    assert missing == ["gone.c"]
    assert (tmp_path / "a.c").read_text() == FILES["a.c"]


def test_links_of_a_package(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "source.tar", "w") as archive:
        for name, kind, target in (
            ("sub/a.c", tarfile.REGTYPE, ""),
            ("hard.c", tarfile.LNKTYPE, "sub/a.c"),
            ("hard.h", tarfile.LNKTYPE, "sub/a.c"),
            ("soft.c", tarfile.SYMTYPE, "sub/a.c"),
            ("gone.h", tarfile.SYMTYPE, "../gone.h"),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.size = kind, target, 7 if kind == tarfile.REGTYPE else 0
            archive.addfile(entry, BytesIO(b"int a;\n"))
    c_files = {name: tmp_path / name for name in ("hard.c", "soft.c")}
    assert write_parts(tmp_path / "source.tar", tmp_path / "outline.tar", tmp_path / "headers.tar", c_files) == []
    assert {path.read_text() for path in c_files.values()} == {"int a;\n"}
    with tarfile.open(tmp_path / "headers.tar") as archive:
        assert {entry.name: (entry.isreg(), entry.linkname) for entry in archive} == {
            "gone.h": (False, "../gone.h"),
            "hard.h": (True, ""),
            "soft.c": (False, "sub/a.c"),
        }
    with tarfile.open(tmp_path / "outline.tar") as archive:
        assert archive.extractfile("hard.c").read() == STUB  # type: ignore[union-attr]
