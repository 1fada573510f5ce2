"""Machines of a program that takes QEMU's place."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.vm import qemu
from tools.vm.events import EventLog
from tools.vm.failure import Failure
from tools.vm.loop import Loop, Stopper
from tools.vm.machine import Machine
from tools.vm.plan import MachinePlan, Plan, Script
from tools.vm.session import Session
from tools.vm.surroundings import Surroundings


@pytest.fixture
def failures() -> list[Failure]:
    """What stopped the script."""
    return []


@pytest.fixture
def puppet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachinePlan:
    """The plan of a machine that such a program is."""
    program = tmp_path / "puppet"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).with_name('puppet.py').read_text()}")
    program.chmod(0o755)
    monkeypatch.setattr(qemu, "PROGRAM", str(program))
    return MachinePlan("vm", "6.1.0-puppet", "/vmlinux", (), modules=("vrouter.ko",))


@pytest.fixture
def plan(puppet: MachinePlan, tmp_path: Path) -> Plan:
    """The plan of a test with such a machine; what is to be its script goes to script.py in the test's folder."""
    return Plan("//t:t", (puppet,), Script(tmp_path / "script.py", "t/script.py"))


@pytest.fixture
def signals() -> Iterator[None]:
    """The handlers that a driver sets are gone afterwards."""
    numbers = (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def session(plan: Plan, tmp_path: Path, signals: None, failures: list[Failure]) -> Iterator[Session]:
    """A session of one machine, which is off; `failures` are those that it notices while it isn't armed."""
    session = Session(plan, tmp_path, {"VM_ACCEL": "tcg"}, noticed=failures.append)
    yield session
    session.close()
    session.events.end()


@pytest.fixture
def machine(tmp_path: Path, puppet: MachinePlan, failures: list[Failure]) -> Iterator[Machine]:
    """A machine that is off."""
    stopper = Stopper(failures.append)
    events = EventLog(tmp_path / "events.jsonl", lost=stopper.stop)
    loop = Loop(lambda error: pytest.fail(f"the loop ended: {error!r}"))
    machine = Machine(puppet, 0, Surroundings("tcg", tmp_path, events, loop, stopper, {}))
    yield machine
    machine.kill()
    loop.close()
    events.end()
