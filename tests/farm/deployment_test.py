"""What //farm:configuration writes, run as it stands: a server's units and a worker's, and an action through both.

Systemd itself isn't there: tests/farm/units.py runs the units as an ordinary user.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.client import HELPER, Client, wait_until
from tests.farm.farm import Farm, error
from tests.farm.units import UnitMachine
from tools.farm.credentials import VARIABLE
from tools.farm.services import accepts

_SECONDS = 120.0
PORT = 8980


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitMachine]:
    """The server's machine, with what is deployed on it."""
    folder = tmp_path_factory.mktemp("server")
    certificate = folder / "certificate"
    done = Farm(folder).command("certificate", "--name", "localhost", "--output", str(certificate))
    assert done.code == 0, done.err
    words = ["server", "--output", str(folder / "machine"), "--listen", "0.0.0.0", "--port", str(PORT)]
    words += ["--tls-certificate", str(certificate / "tls.crt"), "--tls-key", str(certificate / "tls.key")]
    done = Farm(folder).command("configuration", *words, "--tls-authority", str(certificate / "authority.crt"))
    assert done.code == 0, done.err
    machine = UnitMachine(folder / "machine")
    with contextlib.ExitStack() as stack:
        stack.callback(machine.stop)
        machine.start()
        wait_until("BuildGrid listens", lambda: accepts(PORT) or not machine.runs("farm-buildgrid.service"), _SECONDS)
        assert machine.runs("farm-buildgrid.service"), machine.log("farm-buildgrid.service")
        yield machine


@pytest.fixture(scope="module")
def farm(server: UnitMachine) -> Farm:
    """The server's folder, as //farm:token takes it."""
    farm = Farm(server.folder, PORT)
    assert farm.state == server.folder / "farm"
    return farm


@pytest.fixture(scope="module")
def worker(server: UnitMachine, farm: Farm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitMachine]:
    """A worker's machine."""
    folder = tmp_path_factory.mktemp("worker")
    given = ["--server", farm.secure_address, "--token", str(farm.token("worker")), "--workers", "1"]
    given += ["--tls-authority", str(server.folder / "farm/secrets/authority.crt")]
    done = Farm(folder).command("configuration", "worker", "--output", str(folder / "machine"), *given)
    assert done.code == 0, done.err
    machine = UnitMachine(folder / "machine")
    with contextlib.ExitStack() as stack:
        stack.callback(machine.stop)
        machine.start()
        yield machine


def test_the_units_of_each_machine(server: UnitMachine, worker: UnitMachine) -> None:
    assert sorted(server.units) == [
        *("farm-buildgrid-prepare.service", "farm-buildgrid.service", "farm-postgres-prepare.service"),
        *("farm-postgres.service", "farm-redis.service"),
    ]
    assert sorted(worker.units) == ["farm-casd.service", "farm-worker-1.service"]
    assert all(server.runs(name) for name in server.units if "prepare" not in name)


def test_an_action_runs_on_the_worker(server: UnitMachine, worker: UnitMachine, farm: Farm, tmp_path: Path) -> None:
    client = Client(tmp_path, {"remote": "uname -n > $@"})
    client.settings(
        f"common:farm --remote_executor={farm.secure_address}",
        f"common --tls_certificate={server.folder / 'farm/secrets/authority.crt'}",
        f"common --credential_helper=localhost={HELPER}",
    )
    extra = {VARIABLE: str(farm.token("writer"))}
    try:
        done = client.bazel("build", "--config=farm", "//:remote", extra=extra)
        assert done.code == 0, "\n".join([done.err, *map(worker.log, worker.units)])
        assert "1 remote" in done.err, done.err
        # Which farm/runner.sh names so.
        assert client.output("remote") == "worker\n"
    finally:
        client.bazel("shutdown")


def test_a_machine_that_starts_again_makes_no_second_database(server: UnitMachine) -> None:
    prepare = "farm-postgres-prepare.service"
    before = server.log(prepare)
    assert before
    server.stop()
    again = UnitMachine(server.folder)
    try:
        again.start()
        assert again.runs("farm-postgres.service") and again.log(prepare) == before
    finally:
        again.stop()


def test_a_folder_that_has_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").touch()
    said = error(Farm(tmp_path).command("configuration", "server", "--output", str(tmp_path / "out")))
    assert said == f"error: {tmp_path / 'out'}: isn't empty; give --output another folder"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
