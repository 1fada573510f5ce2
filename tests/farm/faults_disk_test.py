"""The server's disk is full: builds end right or say so; nothing half-written is kept; with room all works again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.client import Client, wait_until
from tests.farm.farm import Farm
from tests.integration.workspace import runfile

BWRAP = str(runfile("../tool_runtime/bin/bwrap"))
ROOM = {"cas": 40_000_000, "postgres": 150_000_000, "redis": 2_000_000}
LARGE = 60_000_000  # more than there is room for, and in pieces that fit
World = tuple[Farm, Client]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A farm whose storage, queue and action cache are small file systems of their own."""
    folder = tmp_path_factory.mktemp("disk")
    disks = []
    for name, size in ROOM.items():
        place = folder / "farm" / name
        place.mkdir(parents=True)
        disks += ["--size", str(size), "--tmpfs", str(place)]
    farm = Farm(folder)
    started = Farm(folder, wrapper=[BWRAP, "--dev-bind", "/", "/", *disks]).up("--workers", "1")
    assert started.code == 0, started.err
    client = Client(folder, {"small": "echo small > $@", "large": f"head -c {LARGE} /dev/zero > $@"})
    try:
        yield farm, client
    finally:
        client.bazel("shutdown")
        farm.command("down")


def disk(farm: Farm, name: str) -> Path:
    """One of the small file systems, as the farm's processes see it."""
    return Path(f"/proc/{farm.status()['services']['redis']['child']}/root/farm/{name}")


def fill(folder: Path) -> Path:
    """Take all the room that there is; the file to remove."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(65536)):
                pass
        except OSError:
            pass
    return filler


def test_a_file_that_does_not_fit(world: World) -> None:
    farm, client = world
    # The cache: what can't be stored is a warning, and the build has what it built.
    done = client.fresh_build("//:large", "--config=cache")
    assert (done.code, len(client.output("large"))) == (0, LARGE), done.err
    assert done.err.count("WARNING: Remote Cache: ") == 1, done.err
    assert "1 linux-sandbox" in done.err
    # Execution: what a worker can't store ends the build, with the reason.
    done = client.fresh_build("//:large", "--config=farm")
    assert done.code == 34, done.err
    assert "is the server's disk full? See //farm:status" in done.err, done.err
    wait_until("nothing half-written is left", lambda: not [*(disk(farm, "cas") / "tmp").iterdir()])


@pytest.mark.parametrize("names", [["cas"], [*ROOM]], ids="+".join)
def test_nothing_fits(world: World, names: list[str]) -> None:
    farm, client = world
    name = f"full-{'-'.join(names)}"
    client.rule(name, f"echo {name} > $@")
    fillers = [fill(disk(farm, name)) for name in names]
    done = client.fresh_build(f"//:{name}", "--config=cache")
    assert (done.code, client.output(name)) == (0, f"{name}\n"), done.err
    assert done.err.count("WARNING: Remote Cache: ") == 1, done.err
    # Bazel waits for room as it waits for a server that starts again; here not for as long.
    done = client.fresh_build(f"//:{name}", "--config=farm", "--remote_retries=2")
    assert done.code == 34, done.err
    (said,) = [line for line in done.err.splitlines() if "failed: " in line]
    assert "(Exit 34): " in said
    assert "Error while uploading artifact" in done.err
    assert "\tat " not in done.err
    # There is room again: the same farm works as before.
    for filler in fillers:
        filler.unlink()
    done = client.fresh_build(f"//:{name}", "--config=farm")
    assert (done.code, "1 remote" in done.err) == (0, True), done.err
    assert client.output(name) == f"{name}\n"
    wait_until("nothing half-written is left", lambda: not [*(disk(farm, "cas") / "tmp").iterdir()])
