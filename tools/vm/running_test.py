"""What is seen of a machine while it runs."""

import gc
import os
from pathlib import Path

import pytest

from tools.vm import heartbeat
from tools.vm.failure import Failure, TestStopped
from tools.vm.fair_clock import FairClock
from tools.vm.machine import Machine


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How much of its time the machine had a processor."""
    share = [1.0]
    monkeypatch.setattr(FairClock, "ran", lambda self, seconds: seconds * share[0])
    return share


def test_a_stall_of_a_machine_that_had_a_processor_counts(
    machine: Machine, failures: list[Failure], share: list[float]
) -> None:
    machine.start()
    machine.execute("puppet: stall")
    machine.execute("sleep 1")
    assert [failure.kind for failure in failures] == ["rcu-stall"]


def test_a_stall_of_a_machine_that_had_none_does_not_count(
    machine: Machine, failures: list[Failure], share: list[float], tmp_path: Path
) -> None:
    machine.start()
    share[0] = 0.1
    machine.execute("puppet: stall")
    machine.execute("sleep 1")
    assert failures == []
    assert "had a processor for only 0.9 of 9 s; the host is busy" in (tmp_path / "events.jsonl").read_text()
    # The same again, and since the first one the machine had its time.
    share[0] = 0.2
    machine.execute("puppet: stall")
    machine.execute("sleep 1")
    assert [failure.kind for failure in failures] == ["rcu-stall"]


def test_a_stall_that_was_dismissed_is_why_a_machine_is_silent(
    machine: Machine, failures: list[Failure], share: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "LIMIT", 4.0)
    machine.start()
    share[0] = 0.1
    with pytest.raises(TestStopped):
        machine.execute("puppet: stall and hang", timeout=1.0)
    assert [failure.kind for failure in failures] == ["rcu-stall"]


def _open_files() -> int:
    # What tests before have left for the garbage collector isn't of this one.
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_nothing_of_a_run_is_left_open(machine: Machine) -> None:
    before = _open_files()
    for _ in range(2):
        machine.start()
        machine.succeed("true")
        machine.crash()
    assert _open_files() == before


def test_a_start_that_fails_leaves_nothing(machine: Machine, tmp_path: Path) -> None:
    before = _open_files()
    (tmp_path / "puppet").unlink()
    with pytest.raises(FileNotFoundError):
        machine.start()
    assert _open_files() == before
    assert not machine.running
