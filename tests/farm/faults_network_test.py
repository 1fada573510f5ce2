"""The network between Bazel and the farm is cut: hosts in network namespaces, and cables that are pulled."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.client import HELPER, Client, Gate, by_workers, executed
from tests.farm.farm import Farm
from tests.farm.hosts import Host, Network, network
from tools.farm.credentials import VARIABLE

# --test_env=CUT_SECONDS=N is for other cuts.
CUT_SECONDS = float(os.environ.get("CUT_SECONDS", "60"))


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The network."""
    with network(tmp_path_factory.mktemp("programs")) as found:
        yield found


@pytest.fixture(scope="module")
def farm(hosts: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A farm on a host of its own."""
    rack = hosts.host()
    farm = Farm(tmp_path_factory.mktemp("farm"), wrapper=rack.enter, host=rack.address)
    started = farm.up("--workers", "2", "--tls", "--listen", "0.0.0.0", "--name", rack.address)
    assert started.code == 0, started.err
    yield farm
    farm.command("down")


@contextlib.contextmanager
def desk(hosts: Network, farm: Farm, folder: Path) -> Iterator[tuple[Host, Client]]:
    """A further host, with a Bazel that has the settings which //farm:up says."""
    host = hosts.host()
    client = Client(folder, {}, host.enter)
    client.settings(
        f"common:cache --remote_cache={farm.secure_address}",
        f"common:farm --remote_executor={farm.secure_address}",
        f"common --tls_certificate={farm.authority}",
        f"common --credential_helper={farm.host}={HELPER}",
    )
    try:
        yield host, client
    finally:
        client.bazel("shutdown")


def test_a_minute_and_for_good(hosts: Network, farm: Farm, tmp_path: Path) -> None:
    extra = {VARIABLE: str(farm.token("writer"))}
    gates = {name: Gate(farm, name) for name in ("minute", "cache", "good")}
    with (
        desk(hosts, farm, tmp_path / "here") as (here, client),
        desk(hosts, farm, tmp_path / "there") as (there, other),
    ):
        for name, of in {"minute": client, "cache": client, "good": other}.items():
            of.rule(f"{name}-1", f"{gates[name].command}; echo 1 > $@")
            of.rule(f"{name}-2", "cat $< > $@; echo 2 >> $@", f"{name}-1")
        minute = client.start("build", "--config=farm", "//:minute-2", extra=extra)
        good = other.start("build", "--config=farm", "//:good-2", extra=extra)
        minute.until("a worker runs its action", gates["minute"].reached)
        good.until("a worker runs its action", gates["good"].reached)
        hosts.cut(here)
        hosts.cut(there)
        # Actions end meanwhile, and nobody can be told.
        for name in ("minute", "good"):
            gates[name].open()
        time.sleep(CUT_SECONDS)

        # One cable is put back: that build goes on and ends right.
        hosts.mend(here)
        done = minute.wait()
        assert (done.code, by_workers(done)) == (0, True), done.err
        assert client.output("minute-2") == "1\n2\n"

        # With a cache alone, a build whose network is lost for good goes on without.
        cached = client.start("build", "--config=cache", gates["cache"].option, "//:cache-2", extra=extra)
        cached.until("this machine runs its action", gates["cache"].reached)
        hosts.cut(here)
        gates["cache"].open()
        done = cached.wait()
        assert (done.code, executed(done)) == (0, {"linux-sandbox": 2}), done.err
        assert "WARNING: Remote Cache: UNAVAILABLE" in done.err
        assert client.output("cache-2") == "1\n2\n"

        # Where workers were to execute, it ends after 40 and 76 seconds (.bazelrc) with one line.
        done = good.wait(600)
        assert done.code == 34, done.err
        (said,) = [line for line in done.err.splitlines() if "failed: " in line]
        assert said.endswith("(Exit 34): UNAVAILABLE: io exception")
        hosts.mend(here)
        hosts.mend(there)
        # With the network back, the same farm builds it.
        done = other.bazel("build", "--config=farm", "//:good-2", extra=extra)
        assert done.code == 0, done.err
        assert other.output("good-2") == "1\n2\n"
