"""Each way in which a machine ends has its message."""

import pytest

from tools.vm.endings import ended, silent, silent_boot

TRACE = ("[    9.1] Kernel panic - not syncing: NMI", "[    9.1] RIP: 0010:do_hang+0xd/0x10 [trouble]")


@pytest.mark.parametrize(
    ("cause", "code", "said", "kind", "reason"),
    [
        ("guest-reset", 0, "", "reboot", "vm: the machine restarted, without a word of why"),
        ("guest-shutdown", 0, "", "reboot", "vm: the machine switched itself off"),
        ("", -9, "", "qemu", "vm: QEMU was killed by SIGKILL"),
        ("host-signal", 0, "on signal 15", "qemu", "vm: QEMU was ended by a signal: on signal 15"),
        ("", 1, "one\nqemu: no memory", "qemu", "vm: QEMU ended with exit code 1: qemu: no memory"),
    ],
)
def test_why_qemu_ended(cause: str, code: int, said: str, kind: str, reason: str) -> None:
    failure = ended("vm", cause, code, said)
    assert (failure.kind, failure.reason, failure.machine) == (kind, reason, "vm")


def test_a_silent_machine_says_where_it_hangs() -> None:
    failure = silent("vm", False, TRACE)
    assert failure.reason == "vm: no answer for 10 s: the machine hangs in do_hang+0xd/0x10 [trouble]"
    assert (failure.kind, failure.trace) == ("silent", TRACE)
    assert "takes interrupts, but runs no process, and doesn't react to an NMI" in silent("vm", True, ()).reason


def test_a_boot_that_stops_says_what_came_last() -> None:
    reason = "vm: nothing on the console for 15 s while booting; it never printed anything"
    assert silent_boot("vm", [], ()).reason == reason
    assert silent_boot("vm", ["a", "b"], ()).reason.endswith("; its last line: b")
