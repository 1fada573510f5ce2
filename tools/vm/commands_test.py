"""Commands are ended when they should, and the next one isn't confused by them."""

import signal
import threading
import time
from pathlib import Path

import pytest

from tools.vm.failure import Failure, TestFailed, TestStopped
from tools.vm.machine import Machine


def test_a_command_that_is_interrupted_leaves_the_machine_usable(machine: Machine) -> None:
    machine.start()
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        machine.succeed("echo before; sleep 60")
    assert machine.succeed("echo after") == "after\n"


def test_a_command_that_takes_too_long_is_killed_with_what_it_started(machine: Machine, tmp_path: Path) -> None:
    machine.start()
    with pytest.raises(TestFailed, match=r"took longer than 0\.5 s and was killed"):
        machine.succeed(f"(sleep 2; touch {tmp_path}/late) | cat", timeout=0.5)
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


def test_a_command_of_a_machine_that_still_boots_is_refused(machine: Machine) -> None:
    with machine._loop.changed:  # The loop can't hear that it's ready.
        machine.power_on()
        with pytest.raises(TestFailed, match=r"^vm: it isn't booted yet; wait for that with start\(\)$"):
            machine.succeed("true")
    machine.start()
    machine.succeed("true")


def test_a_command_that_can_not_be_killed_ends_the_test(machine: Machine, failures: list[Failure]) -> None:
    machine.start()
    # It answers pings, and no command any more.
    with pytest.raises(TestStopped):
        machine.succeed("puppet: keep", timeout=0.5)
    assert [failure.reason for failure in failures] == ["vm: a command can't be killed"]
    assert failures[0].kind == "hung-task"
