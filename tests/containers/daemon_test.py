"""The daemon of tests: containers run in it, their ports are reached, and nothing of it outlives the test."""

import http.client
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.containers.daemon import RUNFILES, Daemon, daemon
from tools.containers.engine import Engine
from tools.roots.run_in_root import unpack

_PATIENCE = 120  # seconds for a service in a container to answer


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for the tests of this module, whatever DOCKER_HOST says."""
    os.environ.pop("DOCKER_HOST", None)
    with daemon(tmp_path_factory.mktemp("daemon")) as running:
        yield running


@pytest.fixture(scope="module")
def engine(started: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Its API, with the image `registry`: the root of that name as one layer with a file of another owner."""
    folder = tmp_path_factory.mktemp("image")
    unpack(str(RUNFILES.parent / "tool_runtime"), str(RUNFILES / "roots/registry.tar"), folder / "tree")
    with tarfile.open(folder / "layer.tar", "w") as archive:
        archive.add(folder / "tree", ".", filter=_owned)
    engine = Engine(started.address)
    with (folder / "layer.tar").open("rb") as body:
        engine.call("POST", "/images/create?fromSrc=-&repo=registry&tag=test", body=body)
    return engine


def _owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 33 if entry.name == "./etc/passwd" else 0
    return entry


def run(engine: Engine, *command: str, **settings: object) -> str:
    """Start a container; its id."""
    settings = {"Image": "registry:test", "Cmd": list(command), "HostConfig": {"NetworkMode": "host"}} | settings
    made: str = engine.json("POST", "/containers/create", settings)["Id"]
    engine.call("POST", f"/containers/{made}/start")
    return made


def test_a_container_runs_and_is_reached(engine: Engine, started: Daemon) -> None:
    made = run(engine, "docker-registry", "serve", "/etc/docker/registry/config.yml", Env=["REGISTRY_HTTP_ADDR=:5000"])
    port = started.forward(5000)
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/v2/", timeout=20)
        except HTTPError as error:
            assert error.code == 401  # as Debian's configuration has it
            break
        except (OSError, http.client.HTTPException):
            state = engine.json("GET", f"/containers/{made}/json")["State"]
            assert state["Running"] and time.monotonic() < deadline, state
            time.sleep(0.2)
    engine.call("DELETE", f"/containers/{made}?force=true")


def test_a_container_of_another_user(engine: Engine) -> None:
    made = run(engine, "perl", "-e", "exit($) != 0)", User="33:33")
    # Where there is one id only, its number is 0 for everybody.
    assert engine.json("POST", f"/containers/{made}/wait")["StatusCode"] in (0, 1)


def content(path: Path) -> bytes:
    """A process's words, if it is still there."""
    with suppress(OSError):
        return path.read_bytes()
    return b""


def test_nothing_outlives_it(tmp_path: Path) -> None:
    os.environ.pop("DOCKER_HOST", None)
    with daemon(tmp_path) as running:
        socket = Path(running.address.removeprefix("unix://"))
        assert socket.exists()
    assert (list(tmp_path.iterdir()), socket.parent.exists()) == ([], False)
    assert [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(socket.parent).encode() in content(path)] == []


def test_the_environments_daemon_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///somewhere/docker.sock")
    with daemon(tmp_path) as running:
        assert (running.address, running.forward(80)) == ("unix:///somewhere/docker.sock", 80)
    assert list(tmp_path.iterdir()) == []
