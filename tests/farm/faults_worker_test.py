"""A worker, or its casd, dies in the middle of an action: another one, or the same one, does it again."""

import signal
from collections.abc import Iterator

import pytest

from tests.farm.client import Client, Gate, by_workers, running, wait_until
from tests.farm.farm import Farm, kill

World = tuple[Farm, Client]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One farm and one Bazel for the tests of this module."""
    with running(tmp_path_factory.mktemp("worker"), "--workers", "2") as world:
        yield world


@pytest.mark.parametrize("victims", [["worker-1"], ["casd"], ["worker-1", "worker-2", "casd"]], ids="+".join)
def test_killed_in_the_middle(world: World, victims: list[str]) -> None:
    farm, client = world
    names = [f"{'-'.join(victims)}-{number}" for number in range(2)]
    gates = [Gate(farm, name) for name in names]
    for name, gate in zip(names, gates, strict=True):
        client.rule(name, f"echo {name} > $@; {gate.command}")
    build = client.start("build", "--config=farm", *names)
    build.until("both actions run", lambda: all(gate.reached() for gate in gates))
    before = farm.status()["services"]
    for victim in victims:
        kill(before[victim]["pid"], signal.SIGKILL)
    for gate in gates:
        gate.open()
    done = build.wait()
    assert done.code == 0, done.err
    assert [client.output(name) for name in names] == [f"{name}\n" for name in names]
    assert by_workers(done), done.err
    after = farm.status()["services"]
    for victim in victims:
        assert after[victim]["last_end"].startswith("killed by signal 9")
    wait_until("two free workers", lambda: [w["busy"] for w in farm.status()["workers"]] == [False, False])
