"""Load, save and clean with a real daemon."""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.daemon import RUNFILES, Daemon, daemon
from tools.containers.engine import Engine, EngineError
from tools.containers.image import Files, Image, read_archive
from tools.containers.local import load

_FOLDER = RUNFILES / "tests/containers/image"
_HELLO = "tests/hello:dev"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for the tests of this module, whatever DOCKER_HOST says: they remove images."""
    os.environ.pop("DOCKER_HOST", None)
    with daemon(tmp_path_factory.mktemp("daemon")) as running:
        yield running


@pytest.fixture
def engine(started: Daemon) -> Engine:
    """Its API; it has no image at the start of a test."""
    engine = Engine(started.address)
    for entry in engine.json("GET", "/images/json"):
        engine.call("DELETE", f"/images/{entry['Id']}?force=true")
    return engine


def run(name: str, *words: str, host: str = "", **environment: str) -> tuple[int, str]:
    """`bazel run` of a target; how it ended and what it said on standard error."""
    given = {"RUNFILES_DIR": str(RUNFILES.parent), "PATH": os.environ["PATH"], "HOME": "/nowhere"}
    given |= {"DOCKER_HOST": host} if host else {}
    done = subprocess.run(
        [str(RUNFILES / name), *words], env=given | environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def image() -> Image:
    """The image hello, which has one layer more than its base."""
    return read_archive(Files(_FOLDER / "hello.oci"))


def layers(engine: Engine, name: str) -> list[str]:
    """The diff ids of an image of the daemon."""
    found: list[str] = engine.json("GET", f"/images/{name}/json")["RootFS"]["Layers"]
    return found


def container(engine: Engine, name: str) -> str:
    """Make a container; its id."""
    made: str = engine.json("POST", "/containers/create", {"Image": name, "HostConfig": {"NetworkMode": "none"}})["Id"]
    return made


def test_only_missing_layers_move(engine: Engine, started: Daemon) -> None:
    code, said = run("tests/containers/image/base.load", host=started.address)
    assert (code, "base:dev: loaded" in said) == (0, True), said
    lower, upper = image().layers
    sent = load(engine, image(), _HELLO)
    assert upper.size < sent < upper.size + 20_000 < lower.size
    assert layers(engine, _HELLO) == list(image().diff_ids)
    assert engine.json("GET", f"/images/{_HELLO}/json")["Id"] == image().config.digest
    assert load(engine, image(), _HELLO) == 0
    made = container(engine, _HELLO)
    engine.call("POST", f"/containers/{made}/start")
    assert engine.json("POST", f"/containers/{made}/wait")["StatusCode"] == 0
    engine.call("DELETE", f"/containers/{made}")


def test_an_image_of_other_layers(engine: Engine) -> None:
    with tarfile.open(fileobj=(other := io.BytesIO()), mode="w") as archive:
        archive.addfile(tarfile.TarInfo("other"))
    engine.call("POST", "/images/create?fromSrc=-&repo=other&tag=1", other.getvalue())
    assert load(engine, image(), _HELLO) > sum(layer.size for layer in image().layers)
    assert layers(engine, _HELLO) == list(image().diff_ids)


def test_what_the_daemon_refuses(engine: Engine) -> None:
    good = image()
    content = json.loads(good.manifest)
    content["layers"].reverse()
    wrong = Image(json.dumps(content).encode(), good.media_type, good.config, good.layers[::-1], good.diff_ids)
    with pytest.raises(EngineError, match="the daemon refused tests/hello:dev: "):
        load(engine, wrong, _HELLO)
    assert engine.json("GET", "/images/json") == []


def test_clean(engine: Engine, started: Daemon) -> None:
    assert run("tests/containers/image/hello.load", host=started.address)[0] == 0
    with tarfile.open(fileobj=(other := io.BytesIO()), mode="w") as archive:
        archive.addfile(tarfile.TarInfo("other"))
    engine.call("POST", "/images/create?fromSrc=-&repo=other&tag=1", other.getvalue())
    container(engine, _HELLO)
    code, said = run("containers/clean", "--keep-images", host=started.address)
    assert (code, said) == (0, "1 containers removed, 1 images kept\n")
    assert (engine.json("GET", "/containers/json?all=true"), layers(engine, _HELLO)) == ([], list(image().diff_ids))
    code, said = run("containers/clean", host=started.address)
    assert (code, said) == (0, "0 containers removed, 1 images removed\n")
    assert [entry["RepoTags"] for entry in engine.json("GET", "/images/json")] == [["other:1"]]


def test_save(engine: Engine, tmp_path: Path) -> None:
    code, said = run("tests/containers/image/hello.save", "hello.tar", BUILD_WORKING_DIRECTORY=str(tmp_path))
    assert (code, [path.name for path in tmp_path.iterdir()]) == (0, ["hello.tar"]), said
    saved = read_archive(Files(tmp_path / "hello.tar"))
    assert (saved.manifest, saved.layers[1].digest) == (image().manifest, image().layers[1].digest)
    with tarfile.open(tmp_path / "hello.tar") as archive:
        stream = archive.extractfile("manifest.json")
        assert stream and json.load(stream)[0]["RepoTags"] == [_HELLO]
    with (tmp_path / "hello.tar").open("rb") as body:
        engine.call("POST", "/images/load", body)
    assert layers(engine, _HELLO) == list(image().diff_ids)


def test_save_without_room(tmp_path: Path) -> None:
    runtime = RUNFILES.parent / "tool_runtime"
    command = [str(runtime / "bin/bwrap"), "--dev-bind", "/", "/", "--size", "65536", "--tmpfs", str(tmp_path), "--"]
    command += ["sh", "-c", '"$@"; code=$?; ls -A "$0"; exit $code', str(tmp_path)]
    command += [str(RUNFILES / "tests/containers/image/hello.save"), str(tmp_path / "hello.tar")]
    given = os.environ | {"RUNFILES_DIR": str(RUNFILES.parent)}
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr == f"error: {tmp_path}/hello.tar: cannot write: No space left on device\n"
    code, said = run("tests/containers/image/hello.save", "/missing/hello.tar")
    assert (code, "/missing/hello.tar: cannot write: No such file or directory" in said) == (1, True), said


def test_no_daemon(tmp_path: Path) -> None:
    code, said = run("tests/containers/image/hello.load", host=f"unix://{tmp_path}/none.sock")
    assert (code, said.startswith(f"error: no daemon answers at unix://{tmp_path}/none.sock: ")) == (1, True), said
    assert "start docker or podman's socket" in said
    code, said = run("containers/clean", host="ssh://somewhere")
    assert (code, "DOCKER_HOST=ssh://somewhere: expected unix:///PATH or tcp://HOST:PORT" in said) == (1, True), said
