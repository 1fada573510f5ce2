"""Locks, sums, and the vendor folder."""

import zipfile
from pathlib import Path

import pytest

from tools.go.build import components, explain, prepare
from tools.go.modules import Lock, Module, go_sum, main_module, read_lock, vendor
from tools.lib.errors import UserError

FILES = {"go.mod": "module example.org/one\n\ngo 1.21\n", "one.go": "package one\n", "in/in.go": "package in\n"}


def module(folder: Path, files: dict[str, str], path: str = "example.org/one", version: str = "v1.0.0") -> Module:
    """A module whose zip lies in `folder`."""
    target = folder / f"{path}@{version}.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{path}@{version}/{name}", text)
    with zipfile.ZipFile(target) as archive:
        return Module(path, version, go_sum(archive), "0" * 64)


def test_the_sum_is_go_s(tmp_path: Path) -> None:
    # What `go mod download` puts into go.sum for this module.
    found = module(tmp_path, {"go.mod": "module example.org/one\n\ngo 1.21\n", "one.go": "package one\n"})
    assert found.h1 == "h1:EfSmm1VP3otkZ80R6lG/+hjrIzXGSZCkRplRTuqCJ6A="


def test_the_vendor_folder(tmp_path: Path) -> None:
    one = module(tmp_path / "zips", FILES | {"one_test.go": "package one\n", "data/x.txt": "x"})
    two = module(tmp_path / "zips", {"two.go": "package two\n"}, "example.org/one/two", "v2.0.0+incompatible")
    vendor([two, one], tmp_path / "zips", tmp_path / "vendor")
    assert (tmp_path / "vendor/modules.txt").read_text() == (
        "# example.org/one v1.0.0\n## explicit; go 1.21\nexample.org/one\nexample.org/one/in\n"
        "# example.org/one/two v2.0.0+incompatible\n## explicit\nexample.org/one/two\n"
    )
    assert (tmp_path / "vendor/example.org/one/data/x.txt").read_text() == "x"
    assert not (tmp_path / "vendor/example.org/one/one_test.go").exists()


def test_what_is_wrong_with_a_zip_is_said(tmp_path: Path) -> None:
    one = module(tmp_path, FILES)
    other = Module(one.path, one.version, "h1:other", one.sha256)
    with pytest.raises(UserError, match="example.org/one v1.0.0: the sum of the zip is h1:.*, the lock has h1:other"):
        vendor([other], tmp_path, tmp_path / "vendor")
    with pytest.raises(UserError, match="example.org/none v1.0.0: its zip isn't among the inputs"):
        vendor([Module("example.org/none", "v1.0.0", "", "")], tmp_path, tmp_path / "vendor")
    outside = module(tmp_path, {"../../x.go": "package x\n"}, "example.org/out")
    with pytest.raises(UserError, match="example.org/out v1.0.0: its zip has '.*x.go', which isn't below"):
        vendor([outside], tmp_path, tmp_path / "vendor")
    (tmp_path / one.zip_name).write_text("no zip")
    with pytest.raises(UserError, match="example.org/one v1.0.0: not a zip"):
        vendor([one], tmp_path, tmp_path / "vendor")


def test_a_lock_is_read_back(tmp_path: Path) -> None:
    lock = Lock("example.org/one", "1.24.0", (module(tmp_path, FILES),))
    (tmp_path / "lock").write_text(lock.to_json())
    assert read_lock(tmp_path / "lock") == lock
    for text in (
        "x",
        "[]",
        '{"schema": 2}',
        '{"schema": 1}',
        '{"schema": 1, "package": "", "go": "", "modules": [{}]}',
    ):
        (tmp_path / "lock").write_text(text)
        with pytest.raises(UserError, match=r"not a lock of Go modules with schema 1 .*//containers:update_go"):
            read_lock(tmp_path / "lock")


def test_the_module_to_build_in(tmp_path: Path) -> None:
    one = module(tmp_path / "zips", FILES)
    lock = Lock("example.org/one", "1.24.0", (one,))
    (tmp_path / "version.go").write_text('const V = "@VERSION@"\n')
    prepare(lock, tmp_path / "zips", [("example.org/one/version.go", tmp_path / "version.go")], tmp_path / "build")
    assert (tmp_path / "build/vendor/example.org/one/version.go").read_text() == 'const V = "v1.0.0"\n'
    assert (tmp_path / "build/go.mod").read_text() == main_module(lock)
    with pytest.raises(UserError, match="has example.org/one/one.go already"):
        prepare(lock, tmp_path / "zips", [("example.org/one/one.go", tmp_path / "version.go")], tmp_path / "second")
    with pytest.raises(UserError, match="no module of the lock has the package example.org/o;"):
        prepare(lock, tmp_path / "zips", [("example.org/o/one.go", tmp_path / "version.go")], tmp_path / "third")


def test_go_s_words_are_explained() -> None:
    said = "vendor/a/a.go:3:8: cannot find module providing package b.org/c: import lookup disabled by -mod=vendor\n"
    assert explain(said, "a").startswith("no module of the lock has b.org/c, which a imports; refresh the lock")
    assert explain("x.go:1: undefined: y", "a") == "Go can't build a:\nx.go:1: undefined: y"


def test_components(tmp_path: Path) -> None:
    found = components(Lock("example.org/one", "1.24.0", (module(tmp_path, FILES),)), "x/go.lock.json")
    assert '"type": "golang"' in found and '"name": "example.org/one"' in found
