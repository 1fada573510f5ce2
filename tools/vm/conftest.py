"""Machines of a program that takes QEMU's place."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.vm import qemu
from tools.vm.events import EventLog
from tools.vm.failure import Failure
from tools.vm.loop import Loop, Stopper
from tools.vm.machine import Machine
from tools.vm.plan import MachinePlan
from tools.vm.surroundings import Surroundings


@pytest.fixture
def failures() -> list[Failure]:
    """What stopped the script."""
    return []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: list[Failure]) -> Iterator[Machine]:
    """A machine that is off."""
    program = tmp_path / "puppet"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).with_name('puppet.py').read_text()}")
    program.chmod(0o755)
    monkeypatch.setattr(qemu, "PROGRAM", str(program))
    stopper = Stopper(failures.append)
    events = EventLog(tmp_path / "events.jsonl", lost=stopper.stop)
    loop = Loop(lambda error: pytest.fail(f"the loop ended: {error!r}"))
    plan = MachinePlan("vm", "6.1.0-puppet", "/vmlinux", (), modules=("vrouter.ko",))
    machine = Machine(plan, 0, Surroundings("tcg", tmp_path, events, loop, stopper, {}))
    yield machine
    machine.kill()
    loop.close()
    events.end()
