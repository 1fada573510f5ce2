"""Objects in a tree that kbuild links, and whether they were compiled of what it has."""

import json
import tarfile
import time
from io import BytesIO
from pathlib import Path

from tools.kernels.objects import Objects, changed, digests, without_skew


def folder(path: Path, archives: list[dict[str, str]], reason: str = "", linked: tuple[str, ...] = ()) -> Path:
    """What the link's action has: `archives` are the files of each object's tar."""
    path.mkdir()
    summary = {"objects": sum(bool(files) for files in archives), "reason": reason, "linked": linked}
    (path / "plan.json").write_text(json.dumps(summary))
    for number, files in enumerate([{"version.h": "1"}, *archives]):
        with tarfile.open(path / (f"{number - 1}.tar" if number else "generated.tar"), "w") as archive:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                archive.addfile(entry, BytesIO(text.encode()))
    return path


def test_objects_are_placed_and_counted(tmp_path: Path) -> None:
    archives = [{"log": "a\n", "tree/a.o": "A", "tree/.a.o.cmd": "cmd"}, {}, {"log": "b\n", "tree/b.o": "B"}]
    given = folder(tmp_path / "given", archives)
    tree = tmp_path / "tree"
    tree.mkdir()
    objects = Objects(given)
    objects.place(tree)
    assert objects.log == "a\nb\n"
    assert (tree / "a.o").read_text() == "A" and (tree / ".a.o.cmd").read_text() == "cmd"
    assert (tree / "b.o").stat().st_mtime > time.time() + 3600
    assert objects.note() == "Objects compiled by actions of their own: 2 of 2.\n"
    (tree / "b.o").write_text("again")
    assert objects.note() == "Objects compiled by actions of their own: 1 of 2. kbuild compiled again: b.o.\n"


def test_a_source_without_a_plan_says_why(tmp_path: Path) -> None:
    objects = Objects(folder(tmp_path / "given", [{}], "no rule"))
    assert objects.note() == "Built as a whole: no rule\n"


def test_what_the_link_alone_can_compile_is_named(tmp_path: Path) -> None:
    objects = Objects(folder(tmp_path / "given", [], linked=("sub/new.c",)))
    assert objects.note() == (
        "Objects compiled by actions of their own: 0 of 0. No file of the source, compiled by the link: sub/new.c.\n"
    )


def test_what_objects_were_compiled_of(tmp_path: Path) -> None:
    before = {"a.c": "1", "a.h": "2", "b.h": "3"}
    assert changed(before, {}, before) == []
    # The plan's run has written it, and the build the same.
    assert changed(before, {"version.h": "4"}, before | {"version.h": "4"}) == []
    assert changed(before, {"version.h": "4"}, before | {"version.h": "5"}) == ["version.h"]
    assert changed(before, {"version.h": "4"}, before) == ["version.h"]
    assert changed(before, {"a.h": "9"}, before | {"a.h": "9"}) == []
    assert changed(before, {}, before | {"a.c": "9"}) == ["a.c"]
    # It was not there when they were compiled.
    assert changed(before, {}, before | {"new.h": "1", "new.c": "1"}) == ["new.h"]
    assert Objects(folder(tmp_path / "given", [])).generated().keys() == {"version.h"}


def test_products_are_not_sources(tmp_path: Path) -> None:
    for name in ("a.c", "a.o", ".a.o.cmd", "m.mod", "m.mod.c", "Module.symvers", "a.h"):
        (tmp_path / name).touch()
    assert sorted(digests(tmp_path)) == ["a.c", "a.h"]


def test_complaints_of_dates_are_left_out_of_the_log() -> None:
    log = (
        b"  CC [M]  a.o\n"
        b"make[2]: Warning: File '/build/source/.a.o.cmd' has modification time 86399 s in the future\n"
        b"  LD [M]  m.o\n"
        b"make[2]: warning:  Clock skew detected.  Your build may be incomplete.\n"
    )
    assert without_skew(log) == b"  CC [M]  a.o\n  LD [M]  m.o\n"
