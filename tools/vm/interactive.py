"""What a person does with the machines of a test: a Python prompt, or the console of one."""

import code
import importlib
import sys
import traceback
from contextlib import suppress
from types import CodeType
from typing import Any

from tools.lib.errors import UserError
from tools.vm import terminal
from tools.vm.failure import Failure, TestFailed, TestStopped
from tools.vm.machine import Machine
from tools.vm.script import Source, run_script
from tools.vm.session import Session
from tools.vm.summary import failure_lines

_BANNER = """{name}: machines {machines}, off; {accelerator}
  start_all()      starts them, {first}.start() one of them
  {first}.succeed("uname -a"), {first}.shell(), help({first})
  run()            runs the script {script}
Ctrl-D ends the machines and this."""


class _Prompt(code.InteractiveConsole):
    """A prompt that says in a few lines what a call failed with."""

    def __init__(self, session: Session, names: dict[str, Any]) -> None:
        super().__init__(names)
        self._session = session

    def runcode(self, program: CodeType) -> None:
        """Run what was typed; trouble on a console ends it."""
        self._session.arm()
        try:
            super().runcode(program)
        finally:
            self._session.disarm()

    def showtraceback(self) -> None:
        """Show what went wrong."""
        error = sys.exc_info()[1]
        if isinstance(error, TestFailed | TestStopped):
            _show(error.failure)
        elif isinstance(error, UserError):
            print(f"error: {error}", file=sys.stderr)
        elif isinstance(error, KeyboardInterrupt):
            print("\nKeyboardInterrupt: what ran was ended; the machines are as they were", file=sys.stderr)
        elif error and _raised_here(error):
            print("".join(traceback.format_exception_only(error)), end="", file=sys.stderr)
        else:
            super().showtraceback()


def _raised_here(error: BaseException) -> bool:
    """Whether the driver says what is wrong, which needs none of its own lines."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get("__name__") == Machine.__module__


def _show(failure: Failure) -> None:
    for line in failure_lines(failure):
        print(line, file=sys.stderr)


def prompt(session: Session, source: Source | None) -> int:
    """A Python prompt with the names that a script has, and run(); the exit code."""
    names = session.names()

    def execute() -> None:
        """Start what is off and run the script."""
        if not source:
            raise UserError("this test has no script")
        print(source.text)
        session.start_all()
        if failure := run_script(source, names):
            _show(failure)
        else:
            print("passed")

    names["run"] = execute
    with suppress(ImportError):  # Without it the prompt has no history, and works.
        importlib.import_module("readline")
    console = _Prompt(session, names)
    script = source.display if source else "(there is none)"
    banner = _BANNER.format(
        name=session.plan.name,
        machines=", ".join(session.machines),
        accelerator=f"{session.accelerator.name}: {session.accelerator.reason}",
        first=next(iter(session.machines)),
        script=script,
    )
    console.interact(banner=banner, exitmsg="")
    return 0


def console(session: Session) -> int:
    """Boot the one machine with its modules loaded, and give its console; the exit code."""
    machine = next(iter(session.machines.values()))
    print(f"{machine.name}: {session.accelerator.name}: {session.accelerator.reason}; {terminal.HELP}", flush=True)
    session.arm()
    try:
        machine.view(terminal.show)
        machine.start()
        _prepare(machine, session)
        machine.shell()
    except (TestFailed, TestStopped) as error:
        _show(error.failure)
        return 1
    finally:
        session.disarm()
    return 0


def _prepare(machine: Machine, session: Session) -> None:
    """Load the modules and set up the network to the host, by the addresses that QEMU's has."""
    for module in session.plan.machines[0].modules:
        machine.insmod(module)
    device = f"eth{len(session.plan.machines[0].networks)}"
    machine.succeed(
        "modprobe virtio_net",
        f"ip link set {device} up && ip address add 10.0.2.15/24 dev {device} && ip route add default via 10.0.2.2",
    )
