"""What is said of a machine that doesn't answer any more, or has ended by itself."""

import signal
from collections.abc import Sequence

from tools.vm.console import place_in
from tools.vm.failure import Failure
from tools.vm.heartbeat import LIMIT

BOOT_SILENCE = 15.0  # seconds without a byte on the console while a machine boots...
BOOT_RAN = 10.0  # ...if it had so many by its own clock: an emulated kernel takes five to unpack on a busy host


def silent_boot(machine: str, lines: Sequence[str], trace: tuple[str, ...]) -> Failure:
    """A machine that fell silent before it took commands; `lines` are its console's."""
    last = f"its last line: {lines[-1]}" if lines else "it never printed anything"
    reason = f"nothing on the console for {BOOT_SILENCE:g} s while booting; {last}"
    return Failure("boot", f"{machine}: {reason}", machine, trace)


def silent(machine: str, echoes: bool, trace: tuple[str, ...]) -> Failure:
    """A machine that answers no pings. `echoes`: whether it takes interrupts; `trace`: what it said to an NMI."""
    how = "its kernel takes interrupts, but runs no process" if echoes else "the machine hangs"
    where = f" in {place_in(trace)}" if trace else ", and doesn't react to an NMI"
    return Failure("silent", f"{machine}: no answer for {LIMIT:g} s: {how}{where}", machine, trace)


def ended(machine: str, cause: str, code: int, said: str) -> Failure:
    """QEMU has ended, though nobody asked it to and the kernel gave no reason.

    `cause` is what its monitor said of it (Monitor.shutdown), `code` its exit code as subprocess has it,
    `said` its standard error.
    """
    if cause == "guest-reset":
        return Failure("reboot", f"{machine}: the machine restarted, without a word of why", machine)
    if cause in ("guest-shutdown", "guest-panic"):
        return Failure("reboot", f"{machine}: the machine switched itself off", machine)
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    if cause == "host-signal":
        how = "was ended by a signal"
    last = f": {said.splitlines()[-1]}" if said else ""
    return Failure("qemu", f"{machine}: QEMU {how}{last}", machine, details=said)
