"""A machine of a test, as its script has it: what it can be asked to do.

How its QEMU is run and watched is in tools/vm/running.py.
"""

import re
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from tools.vm import kernel_log, terminal
from tools.vm.agent import OUTPUT_LIMIT
from tools.vm.commands import Commands
from tools.vm.events import Step
from tools.vm.failure import Failure, TestFailed
from tools.vm.plan import MachinePlan
from tools.vm.running import Running
from tools.vm.surroundings import Surroundings
from tools.vm.transcript import Transcript
from tools.vm.wording import bounded, parameter, short

# What a script can use, in the order of docs/vm-tests.md; the rest is for the driver.
API = (
    "succeed",
    "fails",
    "execute",
    "wait_until_succeeds",
    "wait_until_fails",
    "insmod",
    "rmmod",
    "wait_for_console",
    "name",
    "release",
    "kernel_log",
    "check_kernel_log",
    "start",
    "shutdown",
    "crash",
    "shell",
)

COMMAND_TIMEOUT = 60.0  # seconds, where the script gives none
BOOT_TIMEOUT = 120.0
_POWEROFF_TIMEOUT = 30.0
_CONSOLE_LAG = 0.5  # seconds that the console may be behind the kernel's log
_REPORT_WAIT = 10.0  # seconds that a report on the console may take to end
_RETRY = 0.25  # seconds between the attempts of wait_until_...


@dataclass(frozen=True)
class Result:
    """How a command ended; true, so that `assert vm.fails(...)` reads as it should."""

    code: int
    output: str


class Machine:
    """A machine. The methods that wait raise TestFailed; time-outs are in seconds that the machine could run in."""

    def __init__(self, plan: MachinePlan, number: int, shared: Surroundings) -> None:
        self._plan = plan
        self._number = number
        self._shared = shared
        self._loop = shared.loop
        self._events = shared.events
        self._last: Running | None = None
        self._transcript = Transcript(plan.name, shared.out, shared.events, shared.stopper.stop)
        self.name = plan.name
        self.release = plan.release

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"the machine '{self._plan.name}' has no '{name}'; it has: {', '.join(API)}")

    def __dir__(self) -> list[str]:
        return list(API)

    def __repr__(self) -> str:
        return f"<machine {self.name}, kernel {self._plan.release}, {'running' if self.running else 'off'}>"

    # For the driver

    @property
    def running(self) -> bool:
        """Whether the machine is switched on."""
        return self._last is not None and not self._last.over

    @property
    def boot_seconds(self) -> float | None:
        """How long its last boot took, until it took commands."""
        return self._last.boot_seconds if self._last else None

    def power_on(self) -> None:
        """Start the machine, but don't wait for it."""
        with self._loop.changed:
            if self.running:
                raise self._wrong("it runs already")
            step = self._events.open("boot", f"boot {self._plan.release}", self.name, self._events.current)
            self._last = Running(self._plan, self._number, self._shared, self._transcript, step)
            self._commands = Commands(self.name, self._last, self._transcript)

    def wait_for_boot(self, timeout: float = BOOT_TIMEOUT) -> None:
        """Wait until the machine takes commands."""
        with self._loop.changed:
            run = self._running()
            if not run.wait(lambda: run.ready is not None, timeout):
                if run.over:
                    run.gone()
                reason = f"{self.name}: it takes no commands {timeout:g} s after its start"
                run.give_up(Failure("boot", reason, self.name))

    def kill(self) -> None:
        """End QEMU, if it runs; not a step of the test."""
        with self._loop.changed:
            if self._last:
                self._last.kill(_POWEROFF_TIMEOUT)

    def view(self, viewer: Callable[[bytes], None] | None) -> None:
        """Give `viewer` what comes from the console from now on."""
        with self._loop.changed:
            self._transcript.viewer = viewer

    # Start and end

    def start(self) -> None:
        """Start the machine and wait until it takes commands."""
        with self._loop.changed:
            if not self._last or self._last.over or self._last.ready is not None:
                self.power_on()
        self.wait_for_boot()

    def shutdown(self, timeout: float = _POWEROFF_TIMEOUT) -> None:
        """Switch the machine off, as its own `poweroff` does."""
        with self._events.step("shutdown", "shut down", self.name), self._loop.changed:
            run = self._running()
            run.expected_end = True
            run.control.send(b"poweroff\n")
            if not run.wait(lambda: run.over, timeout):
                self._fail("command", f"it isn't off {timeout:g} s after it was asked to switch itself off")

    def crash(self) -> None:
        """End the machine at once, as if its power failed."""
        with self._events.step("shutdown", "power failure", self.name):
            self.kill()

    # Commands

    def execute(self, command: str, timeout: float | None = COMMAND_TIMEOUT) -> tuple[int, str]:
        """Run a shell command: its exit code, and what it printed."""
        with self._events.step("command", command, self.name) as step:
            result = self._command(command, timeout, step)
        return result.code, result.output

    def succeed(self, *commands: str, timeout: float | None = COMMAND_TIMEOUT) -> str:
        """Run shell commands, each of which must succeed; returns what all of them printed."""
        return "".join(self._succeed("command", command, command, timeout) for command in commands)

    def fails(self, command: str, timeout: float | None = COMMAND_TIMEOUT) -> Result:
        """Run a shell command that must fail."""
        with self._events.step("command", f"fails: {command}", self.name) as step:
            result = self._command(command, timeout, step)
            if result.code == 0:
                self._fail("command", f"`{short(command)}` succeeded, and should have failed", result.output)
        return result

    def wait_until_succeeds(self, command: str, timeout: float = COMMAND_TIMEOUT) -> str:
        """Run a command again and again until it succeeds; returns what it printed then."""
        return self._until("until it succeeds", command, timeout, lambda code: code == 0).output

    def wait_until_fails(self, command: str, timeout: float = COMMAND_TIMEOUT) -> Result:
        """Run a command again and again until it fails."""
        return self._until("until it fails", command, timeout, lambda code: code != 0)

    def insmod(self, name: str, **parameters: object) -> None:
        """Load a module of the test's, with parameters; True and False become Y and N."""
        file = name if name.endswith(".ko") else f"{name}.ko"
        if file not in self._plan.modules:
            known = ", ".join(self._plan.modules) or "none; vm_test takes `modules`"
            raise self._wrong(f"it has no module '{file}'; it has: {known}")
        words = [f"{key}={parameter(value)}" for key, value in parameters.items()]
        title = " ".join(["insmod", file, *words])
        self._succeed("insmod", title, shlex.join(["insmod", f"/modules/{file}", *words]), COMMAND_TIMEOUT)

    def rmmod(self, name: str) -> None:
        """Unload a module."""
        title = f"rmmod {name.removesuffix('.ko')}"
        self._succeed("rmmod", title, title, COMMAND_TIMEOUT)

    # For a person

    def shell(self) -> None:
        """A shell on the machine's console, until it or the machine ends, or Ctrl-A x switches the machine off."""
        with self._loop.changed:
            run = self._running()
            run.shell_ended = False
            lines, columns = terminal.size()
            run.control.send(f"shell {lines} {columns}\n".encode())

        def send(data: bytes) -> None:
            with self._loop.changed:
                run.send_keys(data)

        viewer = self._transcript.viewer
        self.view(terminal.show)
        try:
            ended = terminal.connect(send, lambda: run.shell_ended or run.over)
        finally:
            self.view(viewer)
        if ended:
            self.kill()

    # The kernel's messages

    def wait_for_console(self, expression: str, timeout: float = COMMAND_TIMEOUT) -> str:
        """Wait for a line on the console that matches; one that is there already counts. Returns the line."""
        pattern = re.compile(expression)
        with self._events.step("wait", f"console: {expression}", self.name), self._loop.changed:
            seen = 0
            found: list[str] = []

            def look() -> bool:
                nonlocal seen
                found.extend(line for line in self._transcript.lines[seen:] if pattern.search(line))
                seen = len(self._transcript.lines)
                return bool(found)

            if self._last:
                self._last.wait(look, timeout)
            if look():
                return found[0]
            why = f"within {timeout:g} s" if self.running else "before it ended"
            return self._fail("command", f"no line on the console matched '{expression}' {why}")

    def kernel_log(self) -> list[str]:
        """The kernel's messages so far, with time stamps."""
        with self._loop.changed:
            if self._last:
                self._last.read_console()
            return [line for line in self._transcript.lines if kernel_log.STAMP.match(line)]

    def check_kernel_log(self, taint: str = "OE", known: str = "") -> None:
        """Fail if the kernel warned of anything since it booted, or has another taint flag than these.

        `known` is a regular expression of whole messages that the test brings about on purpose.
        """
        with self._events.step("check", f"kernel log, taint {taint or 'none'}", self.name) as step:
            # Not the shell's `read`: it reads byte by byte, and the kernel gives such a reader one digit.
            result = self._command("cat /proc/sys/kernel/tainted; dmesg -r", COMMAND_TIMEOUT)
            flags, _, text = result.output.partition("\n")
            if run := self._last:
                taint += "L" if run.dismissed_lockup else ""
                known = "|".join(filter(None, [known, *map(re.escape, run.dismissed)]))
            wrong = kernel_log.problems(int(flags), text, taint, known)
            self._events.add("output", id=step.id, text="\n".join(wrong))
            if wrong:
                self._let_console_tell()
                self._fail("warning", f"kernel log: {wrong[0]}", "\n".join(wrong))

    # What the script's methods have in common

    def _let_console_tell(self) -> None:
        """The console is slower than the log; if it has the same as a report, that stops the script, with its trace."""
        with self._loop.changed:
            run = self._last
            if run and run.wait(lambda: run.reporting, _CONSOLE_LAG):
                run.wait(lambda: self._shared.stopper.failure is not None, _REPORT_WAIT)

    def _command(self, command: str, timeout: float | None, step: Step | None = None) -> Result:
        """Run a command; what it prints goes to the log of the step."""
        self._running()
        answer, late = self._commands.run(command, timeout)
        output = answer.output.decode("utf-8", "backslashreplace")
        if step and output:
            self._events.add("output", id=step.id, text=bounded(output))
        if late:
            self._fail("command", f"`{short(command)}` took longer than {timeout:g} s and was killed", output)
        if answer.too_long:
            most = f"{OUTPUT_LIMIT // 1024} KiB"
            self._fail("command", f"`{short(command)}` printed more than {most}; write such an output to a file")
        assert answer.code is not None
        return Result(answer.code, output)

    def _succeed(self, what: str, title: str, command: str, timeout: float | None) -> str:
        with self._events.step(what, title, self.name) as step:
            result = self._command(command, timeout, step)
            if result.code:
                last = result.output.strip().rpartition("\n")[2]
                said = f": {last}" if last else ", and printed nothing"
                self._fail("command", f"`{short(title)}` ended with exit code {result.code}{said}", result.output)
        return result.output

    def _until(self, what: str, command: str, timeout: float, good: Callable[[int], bool]) -> Result:
        with self._events.step("wait", f"{what}: {command}", self.name) as step:
            run = self._running()
            end = run.seconds + timeout
            while True:
                result = self._command(command, max(1.0, end - run.seconds))
                if good(result.code) or run.seconds + _RETRY > end:
                    break
                time.sleep(_RETRY)
            self._events.add("output", id=step.id, text=bounded(result.output))
            if not good(result.code):
                how = f"still ends with exit code {result.code} after {timeout:g} s"
                self._fail("command", f"`{short(command)}` {how}", result.output)
        return result

    def _running(self) -> Running:
        if not self._last or self._last.over:
            raise self._wrong(f"it isn't running; call {self.name}.start()")
        return self._last

    def _fail(self, kind: str, reason: str, details: str = "") -> NoReturn:
        raise TestFailed(Failure(kind, f"{self.name}: {reason}", self.name, details=details))

    def _wrong(self, reason: str) -> TestFailed:
        """For a script that asks for what can't be."""
        return TestFailed(Failure("script", f"{self.name}: {reason}", self.name))
