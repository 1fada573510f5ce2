"""Go modules: locked by Go, fetched by SHA-256 from the proxy of Go's settings; one message when they can't be had."""

import os
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.integration.workspace import Result, Workspace
from tools.go.modules import go_sum, read_lock

LOCK = "containers/registry/go.lock.json"
MODULES = ("build", "@go_modules_registry//:modules")
PROGRAM, WORD = "example.org/Program", "example.org/word"


class World:
    """A workspace whose Go knows one module proxy: a folder, laid out as the proxies' protocol says."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder)
        self.proxy = folder / "proxy"
        self.settings = {
            "GOCACHE": str(folder / "cache"),
            "GOENV": "off",
            "GOMODCACHE": str(folder / "modules"),
            "GOPROXY": f"file://{self.proxy}",
            "GOSUMDB": "off",
        }

    def publish(self, path: str, files: dict[str, str]) -> tuple[str, str]:
        """Put version 1.0.0 of a module into the proxy; returns its sum and its zip's SHA-256."""
        escaped = "".join(f"!{letter.lower()}" if letter.isupper() else letter for letter in path)
        folder = self.proxy / escaped / "@v"
        folder.mkdir(parents=True)
        (folder / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
        (folder / "v1.0.0.mod").write_text(files["go.mod"])
        with zipfile.ZipFile(folder / "v1.0.0.zip", "w") as archive:
            for name, text in files.items():
                archive.writestr(f"{path}@v1.0.0/{name}", text)
        with zipfile.ZipFile(folder / "v1.0.0.zip") as archive:
            return go_sum(archive), sha256((folder / "v1.0.0.zip").read_bytes()).hexdigest()

    def bazel(self, *words: str, **settings: str) -> Result:
        """Bazel with these settings of Go."""
        return self.workspace.bazel(*words, extra=self.settings | settings)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One workspace and server for all the tests here."""
    world = World(tmp_path_factory.mktemp("go"))
    yield world
    # Go makes its module cache read-only.
    for folder, _, _ in os.walk(world.settings["GOMODCACHE"]):
        Path(folder).chmod(0o755)


def error_of(result: Result) -> str:
    """The one message of a failed fetch."""
    assert result.code == 1
    (error,) = {text for text in result.err.splitlines() if text.startswith("Error in fail: ")}
    return error


def test_lock_and_fetch(world: World) -> None:
    word = world.publish(WORD, {"go.mod": f"module {WORD}\n", "word.go": "package word\n"})
    program = world.publish(
        PROGRAM,
        {
            "go.mod": f"module {PROGRAM}\n\ngo 1.21\n\nrequire {WORD} v1.0.0\n",
            "main.go": f'package main\n\nimport _ "{WORD}"\n\nfunc main() {{}}\n',
        },
    )
    world.workspace.write(
        "containers/registry/go.mod", f"module x\n\ngo 1.24\n\ntool {PROGRAM}\n\nrequire {PROGRAM} v1.0.0\n"
    )
    locked = world.bazel("run", "//containers:update_go", "--", "registry")
    assert locked.code == 0, locked.err
    lock = read_lock(world.workspace.root / LOCK)
    assert [(module.path, module.h1, module.sha256) for module in lock.modules] == [(PROGRAM, *program), (WORD, *word)]
    assert str(world.proxy) not in lock.to_json()
    fetched = world.bazel(*MODULES)
    assert fetched.code == 0, fetched.err


def test_a_sum_that_does_not_match_and_no_proxy(world: World) -> None:
    text = (world.workspace.root / LOCK).read_text()
    digest = read_lock(world.workspace.root / LOCK).modules[1].sha256
    world.workspace.write(LOCK, text.replace(digest, "0" * 64))
    error = error_of(world.bazel(*MODULES))
    assert f"//containers/registry:go.lock.json: no module proxy has {WORD} v1.0.0 (SHA-256 {'0' * 64});" in error
    assert "./bazelw run //containers:update_go" in error
    error = error_of(world.bazel(*MODULES, GOPROXY="off"))
    assert "no module proxy is named: GOPROXY is 'off'. Name one that has the modules: --repo_env=GOPROXY=URL" in error
    world.workspace.write(LOCK, "{}")
    assert "not a lock of Go modules with schema 1; restore it from git" in error_of(world.bazel(*MODULES))


def test_what_cannot_be_locked(world: World) -> None:
    before = (world.workspace.root / LOCK).read_text()
    world.workspace.write("containers/registry/go.mod", "module x\n\ngo 1.24\n\ntool example.org/none\n")
    failed = world.bazel("run", "//containers:update_go", "--", "registry")
    assert failed.code == 1
    (error,) = [text for text in failed.err.splitlines() if text.startswith("error: ")]
    assert error.startswith("error: containers/registry/go.mod: Go can't resolve it: ")
    assert (world.workspace.root / LOCK).read_text() == before
