"""The cache is emptied during a build, or what is in it is damaged: no wrong bytes, and builds end right."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.client import Client, Gate, running, wait_until
from tests.farm.farm import Farm

World = tuple[Farm, Client]
# What one line of a rule's file is followed by: little, and more than goes into a batch (4 MB).
SMALL, LARGE = 0, 5_000_000
RELAY_PORT = 8981
FAILED_PRECONDITION = 9  # of gRPC


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One farm and one Bazel for the tests of this module."""
    with running(tmp_path_factory.mktemp("cache"), "--workers", "1") as world:
        yield world


def place(farm: Farm, content: str) -> Path:
    """Where the farm stores this."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    return farm.state / "cas/cas/objects" / digest[:2] / digest[2:]


def empty(farm: Farm) -> None:
    """Remove everything that the server stores, at once."""
    objects = farm.state / "cas/cas/objects"
    gone = objects.rename(objects.with_name("gone"))
    shutil.rmtree(gone)


def damage(path: Path, how: str) -> None:
    """Flip a bit of a file, or cut it, and leave its times."""
    before = path.stat()
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content if how == "flipped" else content[1:])
    path.chmod(before.st_mode)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("outputs", ["toplevel", "all"])
@pytest.mark.parametrize("mode", ["farm", "cache"])
def test_emptied_while_an_action_runs(world: World, mode: str, outputs: str) -> None:
    farm, client = world
    name = f"emptied-{mode}-{outputs}"
    gate = Gate(farm, name)
    client.rule(f"{name}-1", f"echo {name} > $@")
    client.rule(f"{name}-2", f"{gate.command}; echo {name}-2 > $@")
    client.rule(f"{name}-3", "cat $(SRCS) > $@", f"{name}-1", f"{name}-2")
    # Made on this machine, so that the worker has nothing of it; then a hit, of which Bazel has no bytes.
    assert client.fresh_build(f"//:{name}-1", "--config=cache").code == 0
    assert client.fresh_build(f"//:{name}-1", f"--config={mode}", "--remote_download_outputs=minimal").code == 0
    build = client.start("build", f"--config={mode}", f"--remote_download_outputs={outputs}", gate.option, f"{name}-3")
    build.until("the second one runs", gate.reached)
    empty(farm)
    gate.open()
    done = build.wait()
    assert done.code == 0, done.err
    assert client.output(f"{name}-3") == f"{name}\n{name}-2\n"


def test_emptied_between_upload_and_execution(world: World) -> None:
    farm, client = world
    folder = farm.state / "relay"
    folder.mkdir()
    (folder / "hold").touch()
    client.rule("held-1", "echo held > $@")
    client.rule("held-2", "cat $< > $@; echo 2 >> $@", "held-1")
    assert client.fresh_build("//:held-1", "--config=cache").code == 0
    with farm.script("relay.py", RELAY_PORT, str(farm.port), "/farm/relay"):
        address = f"--remote_executor=grpc://127.0.0.1:{RELAY_PORT}"
        build = client.start("build", "--config=farm", address, "//:held-2")
        build.until("Bazel has uploaded all", (folder / "held").exists)
        empty(farm)
        (folder / "hold").unlink()
        done = build.wait()
    assert done.code == 0, done.err
    assert "1 remote" in done.err
    assert client.output("held-2") == "held\n2\n"


@pytest.mark.parametrize("mode", ["farm", "cache"])
def test_emptied_between_builds(world: World, mode: str) -> None:
    farm, client = world
    name = f"between-{mode}"
    client.rule(f"{name}-1", f"echo {name} > $@")
    client.rule(f"{name}-2", "cat $< > $@", f"{name}-1")
    client.rule(f"{name}-3", "cat $(SRCS) > $@", f"{name}-1", f"{name}-2")
    assert client.fresh_build(f"//:{name}-2", "--config=cache").code == 0
    assert client.fresh_build(f"//:{name}-2", f"--config={mode}").code == 0
    empty(farm)
    done = client.bazel("build", f"--config={mode}", f"//:{name}-3")
    assert done.code == 0, done.err
    assert client.output(f"{name}-3") == f"{name}\n{name}\n"


@pytest.mark.parametrize(("size", "how"), [(SMALL, "flipped"), (LARGE, "cut")])
@pytest.mark.parametrize("mode", ["farm", "cache"])
def test_damaged_input(world: World, mode: str, size: int, how: str) -> None:
    farm, client = world
    name = f"damaged-{mode}-{size}-{how}"
    content = f"{name}\n" + size * "\0"
    client.rule(f"{name}-1", f"echo {name} > $@; head -c {size} /dev/zero >> $@")
    client.rule(f"{name}-2", "cat $< > $@; echo 2 >> $@", f"{name}-1")
    # Made on this machine, so that the worker has nothing of it.
    assert client.fresh_build(f"//:{name}-1", "--config=cache").code == 0
    assert client.output(f"{name}-1") == content
    client.bazel("clean")
    damage(place(farm, content), how)
    done = client.bazel("build", f"--config={mode}", f"//:{name}-2")
    assert done.code == 0, done.err
    assert client.output(f"{name}-2") == f"{content}2\n"
    # It was noticed, and is whole again.
    blob = place(farm, content)
    assert f"a damaged blob was removed: {blob.parent.name}{blob.name}" in farm.log("buildgrid")
    wait_until("the blob is whole", lambda: blob.exists() and blob.read_text() == content)


def test_what_is_gone_is_named(world: World) -> None:
    farm, _ = world
    # An action that wasn't uploaded, or isn't there any more.
    said = farm.ask("execute_unknown")
    assert (said["code"], len(said["missing"])) == (FAILED_PRECONDITION, 1), said
    # A result that was removed before its client came for it. By "MISSING" clients know that they must ask again.
    made = farm.ask("execute", "paths", "gone")
    assert made["files"] == {"out.txt": "gone\n"}, made
    empty(farm)
    said = farm.ask("wait", made["operation"])
    assert (said["code"], len(said["missing"])) == (FAILED_PRECONDITION, 1), said
    assert said["missing"][0].startswith("MISSING blobs/")
    assert farm.ask("execute", "paths", "gone")["files"] == {"out.txt": "gone\n"}
