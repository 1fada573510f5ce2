"""The server's processes die during a build: they are started again, and the build waits for them."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.client import Client, Gate, by_workers, executed, running
from tests.farm.farm import Farm, kill

World = tuple[Farm, Client]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One farm and one Bazel for the tests of this module."""
    with running(tmp_path_factory.mktemp("server"), "--workers", "1") as world:
        yield world


@pytest.mark.parametrize(
    ("mode", "victims"),
    [
        ("farm", ["buildgrid"]),
        ("farm", ["postgres"]),
        ("farm", ["buildgrid", "postgres", "redis"]),
        ("cache", ["buildgrid", "redis"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_killed_during_a_build(world: World, mode: str, victims: list[str]) -> None:
    farm, client = world
    name = "-".join([mode, *victims])
    gate = Gate(farm, name)
    client.rule(f"{name}-1", f"{gate.command}; echo {name} > $@")
    client.rule(f"{name}-2", "cat $< > $@; echo 2 >> $@", f"{name}-1")
    # A loaded machine may need more than the 76 seconds that Bazel waits by .bazelrc's settings to start a server.
    patience = ["--remote_retries=80"] if mode == "farm" else []
    build = client.start("build", f"--config={mode}", *patience, gate.option, f"//:{name}-2")
    build.until("the first one runs", gate.reached)
    before = farm.status()["services"]
    for victim in victims:
        kill(before[victim]["pid"], signal.SIGKILL)
    gate.open()
    done = build.wait()
    assert done.code == 0, done.err
    assert client.output(f"{name}-2") == f"{name}\n2\n"
    assert by_workers(done) if mode == "farm" else executed(done) == {"linux-sandbox": 2}, done.err
    for victim in victims:
        assert f"{victim}: killed by signal 9" in farm.log("farm")


def test_no_server(tmp_path: Path) -> None:
    client = Client(tmp_path, {"one": "echo 1 > $@"})
    try:
        # A cache that can't be reached: one line, and the build goes on.
        done = client.bazel("build", "--config=cache", "--remote_cache=grpc://127.0.0.1:9", "//:one")
        assert (done.code, client.output("one")) == (0, "1\n"), done.err
        assert "Failed to query remote execution capabilities: UNAVAILABLE" in done.err
        # No place to execute at: the build says so and ends, and nothing runs here in its place.
        words = ["--config=farm", "--remote_executor=grpc://127.0.0.1:9", "--remote_retries=1"]
        done = client.fresh_build("//:one", *words)
        assert (done.code, "2 processes: 2 internal." in done.err) == (34, True), done.err
        assert "UNAVAILABLE: io exception" in done.err
    finally:
        client.bazel("shutdown")
