"""Develop in a container, with a real daemon: sources are mounted, edits restart it, nothing is left."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.containers.daemon import RUNFILES, Daemon, daemon
from tools.containers.dev import EDITOR
from tools.containers.engine import Engine, EngineError

_PATIENCE = 300  # seconds, on a machine that is busy
_FOLDER = "tests/containers/dev"
_CONTAINER = "/containers/tests-dev.dev"


class World:
    """A checkout that a daemon sees, with the sources of the image."""

    def __init__(self, started: Daemon, checkout: Path) -> None:
        self.engine = Engine(started.address)
        self.source = checkout / _FOLDER / "service.conf"
        self.source.parent.mkdir(parents=True)
        self.source.write_text("one\n")
        self.source.chmod(0o640)
        self._environment = {
            "BUILD_WORKSPACE_DIRECTORY": str(checkout),
            "DOCKER_HOST": started.address,
            "HOME": "/nowhere",
            "PATH": os.environ["PATH"],
            "RUNFILES_DIR": str(RUNFILES.parent),
        }

    def start(self, verb: str, log: Path, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        """`bazel run` of a verb, with all that it says in a file."""
        with log.open("wb") as stream:
            return subprocess.Popen(
                [str(RUNFILES / _FOLDER / f"service.{verb}"), *words],
                env=self._environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )

    def commit(self, log: Path) -> tuple[int, str]:
        """How NAME.commit ended and what it said."""
        return self.start("commit", log).wait(_PATIENCE), log.read_text()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One daemon for the tests of this module: DOCKER_HOST's may not see the test's files."""
    os.environ.pop("DOCKER_HOST", None)
    checkout = tmp_path_factory.mktemp("checkout")
    with daemon(tmp_path_factory.mktemp("daemon"), checkout) as running:
        yield World(running, checkout)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a condition holds, while the process runs."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def test_edit_commit_and_end(world: World, tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    before = world.source.stat()
    process = world.start("dev", log, "--network", "none", "--env", "GREETING", GREETING="hello")

    def said(text: str) -> Callable[[], bool]:
        return lambda: text in log.read_text()

    try:
        wait_for(said("one: hello: started before: 0"), process, log)
        assert "templates (build again when their sources change): /etc/greeting, /usr/bin/service\n" in log.read_text()
        status = world.source.stat()
        # A sandbox has one group, and then the user is told how to have the other.
        assert (status.st_gid == EDITOR) != ("the sources keep their group" in log.read_text())
        assert status.st_mode & 0o777 == 0o775
        settings = world.engine.json("GET", f"{_CONTAINER}/json")["HostConfig"]
        assert settings["GroupAdd"] == [str(EDITOR)]

        # As an editor that writes a new file does it.
        new = world.source.with_name("new")
        new.write_text("two\n")
        new.rename(world.source)
        wait_for(said("two: hello: started before: 1"), process, log)
        assert world.commit(kept) == (0, "tests/dev:committed\n")

        # An error ends the service, and the next edit starts it again.
        world.source.write_text("wrong\n")
        wait_for(said("the service ended with code 3; it starts again when a source changes"), process, log)
        world.source.write_text("three\n")
        wait_for(said("three: hello: started before: 2"), process, log)
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(_PATIENCE) == 0, log.read_text()
    assert world.engine.json("GET", "/containers/json?all=true") == []
    # The file itself was replaced; what replaced it has the mode of before.
    assert (world.source.stat().st_mode, world.source.stat().st_gid) == (before.st_mode, before.st_gid)


def test_the_next_start_is_from_what_was_kept(world: World, tmp_path: Path) -> None:
    world.source.write_text("one\n")
    for words, text in (((), "one: hello: started before: 2"), (("--fresh",), "one: : started before: 0")):
        log = tmp_path / "log"
        process = world.start("dev", log, "--network", "none", *words)
        try:
            wait_for(lambda log=log, text=text: text in log.read_text(), process, log)  # type: ignore[misc]
        finally:
            process.terminate()
        assert process.wait(_PATIENCE) == 0
        assert ("starting from tests/dev:committed" in log.read_text()) == (not words)
    tags = world.engine.json("GET", "/images/tests/dev:committed/json")["RepoTags"]
    assert any(tag.startswith("contrail-forge.loaded:") for tag in tags)  # so that `clean` removes it


def test_what_is_wrong(world: World, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert world.commit(log) == (1, "error: nobody develops in tests/dev; start it, in another terminal: NAME.dev\n")
    given = {"BUILD_WORKSPACE_DIRECTORY": str(tmp_path)}
    assert world.start("dev", log, **given).wait(_PATIENCE) == 1
    assert f"{tmp_path}/{_FOLDER}/service.conf: cannot share it with the container: No such file" in log.read_text()
    assert world.start("dev", log, "--env", "NOWHERE").wait(_PATIENCE) == 1
    assert "--env NOWHERE: there is no such variable here" in log.read_text()
    with pytest.raises(EngineError, match="No such container"):
        world.engine.call("GET", f"{_CONTAINER}/json")


def test_somebody_else_removes_it(world: World, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = world.start("dev", log, "--network", "none", "--fresh")
    wait_for(lambda: "started before: 0" in log.read_text(), process, log)
    world.engine.call("DELETE", f"{_CONTAINER}?force=true")
    assert process.wait(_PATIENCE) == 1
    assert "error: somebody removed the container tests-dev.dev; start it anew" in log.read_text()
