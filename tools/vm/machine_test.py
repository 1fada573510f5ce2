"""What a script can ask of a machine, and what it is told when that can't be."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools.vm import heartbeat
from tools.vm.failure import Failure, TestFailed, TestStopped
from tools.vm.machine import API, Machine


def _events(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]


def test_a_machine_boots_works_and_is_switched_off(machine: Machine, tmp_path: Path) -> None:
    assert repr(machine) == "<machine vm, kernel 6.1.0-puppet, off>"
    machine.start()
    assert machine.running and machine.boot_seconds is not None
    assert machine.succeed("echo one", "echo two") == "one\ntwo\n"
    assert machine.execute("echo out; exit 3") == (3, "out\n")
    assert machine.fails("exit 4").code == 4
    assert machine.wait_for_console("Linux version (.*)").endswith("6.1.0-puppet")
    assert len(machine.kernel_log()) == 1
    machine.shutdown()
    assert not machine.running
    machine.start()
    machine.crash()
    steps = [(event["what"], event["title"]) for event in _events(tmp_path) if event["kind"] == "open"]
    assert steps[0] == ("boot", "boot 6.1.0-puppet")
    assert steps[-1] == ("shutdown", "power failure")
    assert (tmp_path / "serial-vm.log").read_text().count("Linux version") == 2


def test_waiting_ends_when_it_is_so(machine: Machine, tmp_path: Path) -> None:
    machine.start()
    marker = tmp_path / "marker"
    assert machine.wait_until_succeeds(f"test -e {marker} && echo there || {{ touch {marker}; false; }}") == "there\n"
    assert machine.wait_until_fails(f"test -e {marker} && rm {marker}").code == 1


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("vm.succeed('echo no >&1; false')", "vm: `echo no >&1; false` ended with exit code 1: no"),
        ("vm.succeed('false')", "vm: `false` ended with exit code 1, and printed nothing"),
        ("vm.fails('true')", "vm: `true` succeeded, and should have failed"),
        ("vm.wait_until_succeeds('exit 7', timeout=0.5)", "vm: `exit 7` still ends with exit code 7 after 0.5 s"),
        ("vm.succeed('sleep 60', timeout=0.5)", "vm: `sleep 60` took longer than 0.5 s and was killed"),
        ("vm.wait_for_console('never', timeout=0.3)", "vm: no line on the console matched 'never' within 0.3 s"),
        ("vm.insmod('other')", "vm: it has no module 'other.ko'; it has: vrouter.ko"),
        ("vm.start()", "vm: it runs already"),
    ],
)
def test_what_fails_says_why(call: str, reason: str, machine: Machine) -> None:
    machine.start()
    with pytest.raises(TestFailed, match=f"^{re.escape(reason)}$"):
        eval(call, {"vm": machine})
    assert machine.succeed("echo alive") == "alive\n"


def test_a_machine_that_is_off_takes_no_commands(machine: Machine) -> None:
    with pytest.raises(TestFailed, match=r"^vm: it isn't running; call vm\.start\(\)$"):
        machine.succeed("true")


def test_an_unknown_name_lists_what_scripts_can_use(machine: Machine) -> None:
    with pytest.raises(AttributeError) as caught:
        machine.run("true")
    assert str(caught.value) == f"the machine 'vm' has no 'run'; it has: {', '.join(API)}"
    assert dir(machine) == sorted(API)
    assert all(hasattr(machine, name) for name in API)


def test_what_scripts_can_use_is_documented() -> None:
    text = Path(__file__).parents[2].joinpath("docs/vm-tests.md").read_text()
    table = text.partition("| method of a machine | what |")[2].partition("\n\n")[0]
    names = [name for cell in re.findall(r"^\| (`[^|]*`) \|", table, re.M) for name in re.findall(r"`(\w+)", cell)]
    assert names == list(API)


def test_a_machine_that_hangs_is_silent_and_no_command_late(
    machine: Machine, failures: list[Failure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "LIMIT", 4.0)
    machine.start()
    # The command's own time is over long before.
    with pytest.raises(TestStopped):
        machine.succeed("puppet: hang", timeout=2.5)
    assert [failure.kind for failure in failures] == ["silent"]


def test_a_machine_that_ends_is_told_from_one_that_should(machine: Machine, failures: list[Failure]) -> None:
    machine.start()
    with pytest.raises(TestStopped):
        machine.succeed("puppet: exit")
    assert [failure.reason for failure in failures] == ["vm: QEMU ended with exit code 1: qemu: exit was asked for"]
