"""Go builds a program of pinned modules in its root, the same bytes each time, and refuses what isn't pinned."""

import hashlib
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tools.go.modules import Lock, Module, go_sum

RUNFILES = Path.cwd()
RUNTIME = RUNFILES.parent / "tool_runtime"
MAIN = 'package main\n\nimport "example.org/word"\n\nfunc main() { println(word.Word, Version) }\n'


def module(folder: Path, path: str, files: dict[str, str]) -> Module:
    """A module whose zip lies in `folder`."""
    target = folder / f"{path}@v1.0.0.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{path}@v1.0.0/{name}", text)
    with zipfile.ZipFile(target) as archive:
        return Module(path, "v1.0.0", go_sum(archive), hashlib.sha256(target.read_bytes()).hexdigest())


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    """A program of two modules."""
    zips = tmp_path / "modules"
    files = {"go.mod": "module example.org/program\n\ngo 1.21\n", "main.go": MAIN}
    program = module(zips, "example.org/program", files)
    word = module(zips, "example.org/word", {"word.go": 'package word\n\nconst Word = "hello"\n'})
    return Lock("example.org/program", "1.24", (program, word))


def build(folder: Path, lock: Lock, out: str) -> subprocess.CompletedProcess[str]:
    """Build in the root; the program is left in the folder `out`."""
    (folder / "lock.json").write_text(lock.to_json())
    (folder / "version.go").write_text('package main\n\nconst Version = "@VERSION@"\n')
    inputs = {folder / "lock.json": "/lock.json", folder / "version.go": "/version.go"}
    inputs |= {path: f"/modules/{path.relative_to(folder / 'modules')}" for path in folder.glob("modules/**/*.zip")}
    words = [str(RUNTIME / "bin/python3"), "-ISB", f"{RUNFILES}/tools/roots/run_in_root.pyz"]
    words += ["--runtime", str(RUNTIME), "--layer", f"{RUNFILES}/roots/go.tar=/"]
    words += ["--tool", f"{RUNFILES}/tools/go/build.pyz"]
    words += ["--output", f"program={folder / out}/program"]
    words += [word for path, place in inputs.items() for word in ("--input", f"{path}={place}")]
    words += ["--", "--lock", "/lock.json", "--lock-name", "x/go.lock.json", "--modules", "/modules", "--go", "1.24"]
    words += ["--source", "example.org/program/version.go=/version.go"]
    words += ["--output", "/out/program", "--components", "/out/components.json"]
    # The outputs are moved from where it works.
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_a_program_is_built_the_same_twice(tmp_path: Path, lock: Lock) -> None:
    for out in ("one", "two"):
        done = build(tmp_path, lock, out)
        assert done.returncode == 0, done.stderr
    one, two = ((tmp_path / out / "program").read_bytes() for out in ("one", "two"))
    assert one == two
    assert subprocess.run([tmp_path / "one/program"], capture_output=True, check=True).stderr == b"hello v1.0.0\n"
    # Not a Python's, not a compiler's: no dynamic loader is asked for.
    assert b"ld-linux" not in one


def test_a_sum_that_does_not_match(tmp_path: Path, lock: Lock) -> None:
    program, word = lock.modules
    done = build(tmp_path, replace(lock, modules=(program, replace(word, h1="h1:other"))), "out")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: x/go.lock.json: example.org/word v1.0.0: the sum of the zip is {word.h1}, the lock has h1:other; "
        "don't build with it before you know why. To lock the module anew: ./bazelw run //containers:update_go\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_module_that_is_not_in_the_lock(tmp_path: Path, lock: Lock) -> None:
    done = build(tmp_path, replace(lock, modules=lock.modules[:1]), "out")
    assert done.returncode == 1
    assert done.stderr == (
        "error: x/go.lock.json: no module of the lock has example.org/word, which example.org/program imports; refresh "
        "the lock: ./bazelw run //containers:update_go\n"
    )
