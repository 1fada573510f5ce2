"""//farm:up, :down and :status: a farm starts, says how it is, notices a crash, and stops; and what goes wrong."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.farm import Farm, error, kill
from tests.integration.workspace import runfile

BWRAP = str(runfile("../tool_runtime/bin/bwrap"))


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """One farm for the tests of this module."""
    farm = Farm(tmp_path_factory.mktemp("farm"))
    started = farm.up("--workers", "1")
    assert started.code == 0, started.err + farm.log("farm") + farm.log("worker-1")
    yield farm
    farm.command("down")


def test_ready_says_where_and_how(farm: Farm) -> None:
    again = farm.up("--workers", "1")
    assert again.code == 0, again.err
    assert "the farm is already running: grpc://127.0.0.1:8980" in again.out
    content = farm.status()
    assert (content["running"], content["phase"], content["address"]) == (True, "ready", farm.address)
    assert [worker["busy"] for worker in content["workers"]] == [False]
    assert (content["queued"], content["executing"]) == (0, 0)
    assert content["cache"]["bytes"] > 0
    assert "1 asked for" not in farm.command("status").err


def test_one_farm_per_folder(farm: Farm) -> None:
    assert "a farm with other settings is already running" in error(farm.up("--workers", "2"))


def test_port_of_another_program(farm: Farm, tmp_path: Path) -> None:
    other = Farm(tmp_path)
    assert "Address already in use; choose a free port with --port" in error(other.up("--workers", "1"))
    assert not other.state.exists()


def test_a_crash_is_noticed_and_said(farm: Farm) -> None:
    before = farm.status()["services"]["worker-1"]
    kill(before["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 30
    while (after := farm.status()["services"]["worker-1"])["pid"] in (0, before["pid"]):
        assert time.monotonic() < deadline, farm.log("farm")
        time.sleep(0.2)
    assert "killed by signal 9" in after["last_end"]
    assert "worker-1: killed by signal 9" in farm.log("farm")
    assert "worker-1: started again" in farm.log("farm")
    assert "ended before: killed by signal 9" in farm.command("status").out


def test_nothing_is_left_when_it_is_down(farm: Farm, tmp_path: Path) -> None:
    farm = Farm(tmp_path, 8990, roots=farm)
    assert farm.up("--workers", "0").code == 0
    pids = [record["child"] for record in farm.status()["services"].values()]
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert farm.command("down").out == "the farm is stopped; its cache stays\n"
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert farm.command("down").out.startswith("no farm is running")
    status = farm.command("status")
    assert (status.code, status.out.startswith("no farm is running")) == (1, True)


def test_data_of_an_older_postgresql(tmp_path: Path) -> None:
    farm = Farm(tmp_path, 8991)
    (farm.state / "postgres").mkdir(parents=True)
    (farm.state / "postgres/PG_VERSION").write_text("13\n")
    said = error(farm.up("--workers", "0"))
    assert "made by PostgreSQL 13, and this farm has 15" in said
    assert "remove that folder and start again" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--listen", "0.0.0.0"], "only with TLS and tokens"),
        (["--workers", "-1"], "--workers -1: expected 0 or more"),
        (["--tls-certificate", "no.crt"], "no such file"),
    ],
)
def test_mistakes(tmp_path: Path, words: list[str], said: str) -> None:
    farm = Farm(tmp_path, 8992)
    assert said in error(farm.up(*words))
    assert not farm.state.exists()


def in_a_small_world(farm: Farm, options: list[str]) -> subprocess.CompletedProcess[str]:
    """Start the farm in a namespace with these words for bubblewrap."""
    script = str(Path.cwd() / "farm/up.sh")
    words = [BWRAP, "--dev-bind", "/", "/", *options, "sh", script]
    words += ["--state", str(farm.state), "--port", str(farm.port)]
    environment = os.environ | {"RUNFILES_DIR": str(Path.cwd().parent)}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def test_no_room(tmp_path: Path) -> None:
    farm = Farm(tmp_path, 8993)
    done = in_a_small_world(farm, ["--size", "50000000", "--tmpfs", str(tmp_path)])
    assert done.returncode == 1
    assert "only 50 MB are free there, and a farm needs 1000 MB to start" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_user_namespaces(farm: Farm, tmp_path: Path) -> None:
    farm = Farm(tmp_path, 8994, roots=farm)
    # Inside a namespace, where its owner may set the limit for those below it: one level and no further.
    options = ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"]
    limit = ["sh", "-c", 'echo 2 > /proc/sys/user/max_user_namespaces; exec "$@"', "sh"]
    done = in_a_small_world(farm, [*options, *limit])
    assert done.returncode == 1
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "can't make user namespaces within each other" in said
    assert "--workers 0" in said
