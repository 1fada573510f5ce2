"""Wheels: locked and fetched by pip from the index that pip's settings name; one message when they can't be had."""

import re
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.integration.workspace import Result, Workspace

NAME = "farm-server"
LOCK = f"roots/{NAME}.requirements.txt"
BUILD = ("build", "--output_groups=wheels", f"//roots:{NAME}")


class World:
    """A workspace whose pip knows one folder of wheels and no index."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder)
        self.index = folder / "index"
        self.index.mkdir()
        self.settings = {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.index)}

    def publish(self, name: str, version: str, requires: str = "") -> str:
        """Put a wheel with one module into the index; returns its SHA-256."""
        path = self.index / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            dependency = f"Requires-Dist: {requires}\n" if requires else ""
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{dependency}"
            )
            wheel.writestr(f"{info}/RECORD", "")
        return sha256(path.read_bytes()).hexdigest()

    def bazel(self, *words: str) -> Result:
        """Bazel with these settings of pip."""
        return self.workspace.bazel(*words, extra=self.settings)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One workspace and server for all the tests here."""
    yield World(tmp_path_factory.mktemp("wheels"))


def test_lock_fetch_and_unpack(world: World) -> None:
    digests = {"hello": world.publish("hello", "1.5", "world>=2"), "world": world.publish("world", "2.1")}
    world.workspace.write(f"roots/{NAME}.requirements.in", "hello<2\n")
    locked = world.bazel("run", "//roots:update_wheels", "--", NAME)
    assert locked.code == 0, locked.err
    lock = (world.workspace.root / LOCK).read_text()
    assert lock.splitlines()[1:] == [
        f"hello==1.5 --hash=sha256:{digests['hello']}",
        f"world==2.1 --hash=sha256:{digests['world']}",
    ]
    assert str(world.index) not in lock
    built = world.bazel(*BUILD)
    assert built.code == 0, built.err
    archive = world.workspace.output(f"roots/{NAME}.wheels.tar").read_bytes()
    assert b"usr/local/lib/python3.11/dist-packages/world.py" in archive


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hello==9 --hash=sha256:" + "0" * 64, "No matching distribution found for hello==9"),
        ("hello==1.5 --hash=sha256:" + "0" * 64, "THESE PACKAGES DO NOT MATCH THE HASHES"),
        ("hello==1.5", "require"),
    ],
)
def test_wheels_that_cannot_be_had(world: World, line: str, said: str) -> None:
    world.publish("hello", "1.5", "world>=2")
    world.workspace.write(LOCK, f"{line}\n")
    failed = world.bazel(*BUILD)
    assert failed.code == 1
    (error,) = [text for text in failed.err.splitlines() if text.startswith("Error in fail: ")]
    assert f"//roots:{NAME}.requirements.txt: pip can't fetch the locked wheels: " in error
    assert said in error
    assert f"./bazelw run //roots:update_wheels -- {NAME}" in error


@pytest.mark.parametrize(
    ("requirements", "name", "said"),
    [
        ("nowhere==1\n", NAME, "pip can't resolve it: "),
        ("hello\n", "nothing", rf"there are: .*\b{NAME}\b"),
    ],
)
def test_what_cannot_be_locked(world: World, requirements: str, name: str, said: str) -> None:
    world.workspace.write(f"roots/{NAME}.requirements.in", requirements)
    before = (world.workspace.root / LOCK).read_text()
    failed = world.bazel("run", "//roots:update_wheels", "--", name)
    assert failed.code == 1
    (error,) = [text for text in failed.err.splitlines() if text.startswith("error: ")]
    assert re.search(said, error)
    assert (world.workspace.root / LOCK).read_text() == before
