"""The cache is emptied during a build, or what is in it is damaged: no wrong bytes, and builds end right."""

import hashlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.client import Client, running, wait_until
from tests.farm.farm import Farm, kill

World = tuple[Farm, Client]
# What one line of a rule's file is followed by: little, and more than goes into a batch (4 MB).
SMALL, LARGE = 0, 5_000_000


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
    """Remove everything that the server stores."""
    shutil.rmtree(farm.state / "cas/cas/objects")


def forget_on_worker(farm: Farm) -> None:
    """Remove what the worker's machine has kept; its casd must start again for that."""
    before = farm.status()["services"]["casd"]["starts"]
    kill(farm.status()["services"]["casd"]["pid"], signal.SIGKILL)
    for path in (farm.state / "worker/cache/cas/objects").rglob("*"):
        if path.is_file():
            path.unlink()
    wait_until("casd is back", lambda: farm.status()["services"]["casd"]["starts"] > before)


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
def test_emptied_during_a_build(world: World, mode: str, outputs: str) -> None:
    farm, client = world
    name = f"emptied-{mode}-{outputs}"
    client.rule(f"{name}-1", f"echo {name} > $@")
    # So that the first one's result is a hit, of which Bazel has no bytes.
    assert client.fresh_build(f"//:{name}-1", f"--config={mode}").code == 0
    client.rule(f"{name}-2", f"sleep 6; echo {name}-2 > $@")
    client.rule(f"{name}-3", "cat $(SRCS) > $@", f"{name}-1", f"{name}-2")
    client.bazel("clean")
    forget_on_worker(farm)
    build = client.start("build", f"--config={mode}", f"--remote_download_outputs={outputs}", f"//:{name}-3")
    build.until("the second one runs", lambda: f"genrule //:{name}-2; " in build.said)
    if mode == "farm":
        build.until("a worker runs it", lambda: farm.status()["executing"] == 1)
    empty(farm)
    done = build.wait()
    assert done.code == 0, done.err
    assert client.output(f"{name}-3") == f"{name}\n{name}-2\n"


@pytest.mark.parametrize("mode", ["farm", "cache"])
def test_emptied_between_builds(world: World, mode: str) -> None:
    farm, client = world
    name = f"between-{mode}"
    client.rule(f"{name}-1", f"echo {name} > $@")
    client.rule(f"{name}-2", "cat $< > $@", f"{name}-1")
    assert client.fresh_build(f"//:{name}-2", f"--config={mode}").code == 0
    empty(farm)
    forget_on_worker(farm)
    client.rule(f"{name}-3", "cat $(SRCS) > $@", f"{name}-1", f"{name}-2")
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
    assert client.fresh_build(f"//:{name}-1", f"--config={mode}").code == 0
    assert client.output(f"{name}-1") == content
    client.bazel("clean")
    forget_on_worker(farm)
    damage(place(farm, content), how)
    done = client.bazel("build", f"--config={mode}", f"//:{name}-2")
    assert done.code == 0, done.err
    assert client.output(f"{name}-2") == f"{content}2\n"
    # It was noticed, and is whole again.
    assert "a damaged blob was removed" in farm.log("buildgrid")
    wait_until("the blob is whole", lambda: place(farm, content).read_text() == content)
