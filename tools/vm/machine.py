"""A machine of a test: starts QEMU, watches it, and does what the script asks for.

Methods without an underscore are the script's. What begins with an underscore runs on the loop's
thread or under its lock (tools/vm/loop.py).
"""

import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from tools.vm import kernel_log, qemu, terminal
from tools.vm.agent import OUTPUT_LIMIT, READY, Answer, Requests
from tools.vm.console import Line, Watcher, place_in
from tools.vm.events import EventLog, Step
from tools.vm.failure import Failure, TestFailed, TestStopped
from tools.vm.fair_clock import FairClock
from tools.vm.heartbeat import LIMIT, Heartbeat, Silence
from tools.vm.loop import Loop, Stopper, Stream
from tools.vm.monitor import Monitor
from tools.vm.network import Switch
from tools.vm.plan import MachinePlan

COMMAND_TIMEOUT = 60.0  # seconds, where the script gives none
BOOT_TIMEOUT = 120.0
_BOOT_SILENCE = 15.0  # seconds without a byte on the console while it boots...
_BOOT_RAN = 5.0  # ...if it had so many by its own clock
_NMI_WAIT = 3.0  # seconds that a hung kernel has to say where it is
_KILL_WAIT = 3.0  # seconds that a killed command has to end
_POWEROFF_TIMEOUT = 30.0
_CONSOLE_LAG = 0.5  # seconds that the console may be behind the kernel's log
_REPORT_WAIT = 10.0  # seconds that a report on the console may take to end
_RETRY = 0.25  # seconds between the attempts of wait_until_...
_LOGGED = 32 * 1024  # characters of a command's output in the log, at its beginning and at its end
_PIECE = 65536


@dataclass(frozen=True)
class Result:
    """How a command ended; true, so that `assert vm.fails(...)` reads as it should."""

    code: int
    output: str


@dataclass
class Surroundings:
    """What all machines of a test share."""

    accelerator: str
    out: Path
    events: EventLog
    loop: Loop
    stopper: Stopper
    switches: dict[str, Switch]
    user_network: str | None = None


class _Run:
    """One run of QEMU, from its start to its end."""

    def __init__(self, process: "subprocess.Popen[bytes]", watcher: Watcher, pidfd: int) -> None:
        self.process = process
        self.watcher = watcher
        self.pidfd = pidfd
        self.started = time.monotonic()
        self.ready: float | None = None
        self.clock = FairClock(process.pid)
        self.quiet = Silence()
        self.expected_end = False
        self.nmi: float | None = None
        self.received = b""
        self.answer: Answer | None = None


class Machine:
    """A machine. The methods that wait raise TestFailed; time-outs are in seconds."""

    def __init__(self, plan: MachinePlan, number: int, shared: Surroundings) -> None:
        self._plan = plan
        self._shared = shared
        self._loop = shared.loop
        self._events = shared.events
        self._number = number
        self._run: _Run | None = None
        self._streams: list[Stream] = []
        self._ports: list[tuple[Switch, int]] = []
        self._requests = Requests()
        self._lines: list[str] = []
        self._serial = os.open(
            shared.out / f"serial-{plan.name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644
        )
        self._viewer: Callable[[bytes], None] | None = None
        self._calls = threading.Lock()
        self._control_rest = b""
        self._shell_ended = False
        self.name = plan.name
        self.release = plan.release
        self.boot_seconds: float | None = None
        self._loop.tick.append(self._tick)

    def __getattr__(self, name: str) -> NoReturn:
        known = sorted(word for word in {*dir(type(self)), *self.__dict__} if not word.startswith("_"))
        raise AttributeError(f"the machine '{self._plan.name}' has no '{name}'; it has: {', '.join(known)}")

    def __repr__(self) -> str:
        return f"<machine {self.name}, kernel {self._plan.release}, {'running' if self._run else 'off'}>"

    @property
    def running(self) -> bool:
        """Whether the machine is switched on."""
        return self._run is not None

    # Start and end

    def start(self) -> None:
        """Start the machine and wait until it takes commands."""
        self.power_on()
        self.wait_for_boot()

    def power_on(self) -> None:
        """Start the machine, but don't wait for it."""
        with self._loop.changed:
            if self._run:
                raise self._wrong("it runs already")
            self._step = self._events.open("boot", f"boot {self._plan.release}", self.name, self._events.current)
            self._spawn()

    def wait_for_boot(self, timeout: float = BOOT_TIMEOUT) -> None:
        """Wait until the machine takes commands."""
        with self._loop.changed:
            run = self._running()
            if not self._wait(lambda: run.ready is not None or self._run is not run, timeout):
                self._stop_now(Failure("boot", f"{self.name}: it takes no commands {timeout:g} s after its start"))
            if self._run is not run:
                self._gone()

    def shutdown(self, timeout: float = _POWEROFF_TIMEOUT) -> None:
        """Switch the machine off, as its own `poweroff` does."""
        with self._events.step("shutdown", "shut down", self.name), self._loop.changed:
            run = self._running()
            run.expected_end = True
            self._control.send(b"poweroff\n")
            if not self._wait(lambda: self._run is not run, timeout):
                self._fail("command", f"it isn't off {timeout:g} s after it was asked to switch itself off")

    def crash(self) -> None:
        """End the machine at once, as if its power failed."""
        with self._events.step("shutdown", "power failure", self.name):
            self.kill()

    def kill(self) -> None:
        """End QEMU, if it runs; not a step of the test."""
        with self._loop.changed:
            if run := self._run:
                run.expected_end = True
                run.process.kill()
                self._wait(lambda: self._run is not run, _POWEROFF_TIMEOUT)

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
                self._fail("command", f"`{_short(command)}` succeeded, and should have failed", result.output)
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
        words = [f"{key}={_parameter(value)}" for key, value in parameters.items()]
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
            self._shell_ended = False
            lines, columns = terminal.size()
            self._control.send(f"shell {lines} {columns}\n".encode())
        viewer = self._viewer
        self.view(terminal.show)
        try:
            ended = terminal.connect(self._type, lambda: self._shell_ended or self._run is not run)
        finally:
            self.view(viewer)
        if ended:
            self.kill()

    def view(self, viewer: Callable[[bytes], None] | None) -> None:
        """Give `viewer` what comes from the console from now on."""
        with self._loop.changed:
            self._viewer = viewer

    def _type(self, data: bytes) -> None:
        with self._loop.changed:
            if self._run and self._run.process.stdin:
                self._run.process.stdin.write(data)
                self._run.process.stdin.flush()

    # The kernel's messages

    def wait_for_console(self, expression: str, timeout: float = COMMAND_TIMEOUT) -> str:
        """Wait for a line on the console that matches; one that is there already counts. Returns the line."""
        pattern = re.compile(expression)
        with self._events.step("wait", f"console: {expression}", self.name), self._loop.changed:
            seen = 0
            found: list[str] = []

            def look() -> bool:
                nonlocal seen
                found.extend(line for line in self._lines[seen:] if pattern.search(line))
                seen = len(self._lines)
                return bool(found) or self._run is None

            self._wait(look, timeout)
            if found:
                return found[0]
            why = f"within {timeout:g} s" if self._run else "before it ended"
            return self._fail("command", f"no line on the console matched '{expression}' {why}")

    def kernel_log(self) -> list[str]:
        """The kernel's messages so far, with time stamps."""
        with self._loop.changed:
            self._read_console()
            return [line for line in self._lines if kernel_log.STAMP.match(line)]

    def check_kernel_log(self, taint: str = "OE", known: str = "") -> None:
        """Fail if the kernel warned of anything since it booted, or has another taint flag than these.

        `known` is a regular expression of whole messages that the test brings about on purpose.
        """
        with self._events.step("check", f"kernel log, taint {taint or 'none'}", self.name) as step:
            # Not the shell's `read`: it reads byte by byte, and the kernel gives such a reader one digit.
            result = self._command("cat /proc/sys/kernel/tainted; dmesg -r", COMMAND_TIMEOUT)
            flags, _, text = result.output.partition("\n")
            wrong = kernel_log.problems(int(flags), text, taint, known)
            self._events.add("output", id=step.id, text="\n".join(wrong))
            if wrong:
                self._let_console_tell()
                self._fail("warning", f"kernel log: {wrong[0]}", "\n".join(wrong))

    # What the script's methods have in common

    def _let_console_tell(self) -> None:
        """The console is slower than the log; if it has the same as a report, that stops the script, with its trace."""
        with self._loop.changed:
            run = self._run
            if run and self._wait(lambda: run.watcher.reporting, _CONSOLE_LAG):
                self._wait(lambda: self._shared.stopper.failure is not None, _REPORT_WAIT)

    def _command(self, command: str, timeout: float | None, step: Step | None = None) -> Result:
        """Run a command; what it prints goes to the log of the step."""
        with self._calls, self._loop.changed:
            run = self._running()
            if run.ready is None:
                raise self._wrong("it isn't booted yet; call wait_for_boot()")
            request, run.answer = self._requests.request(command)
            answer = run.answer
            self._commands.send(request)
            done = self._wait(lambda: answer.code is not None or self._run is not run, timeout)
            late = not done and self._end_command(run, answer)
            if self._run is not run:
                self._gone()
            run.answer = None
            self._requests.answered(answer)
        output = answer.output.decode("utf-8", "backslashreplace")
        if step and output:
            self._events.add("output", id=step.id, text=_bounded(output))
        if late:
            self._fail("command", f"`{_short(command)}` took longer than {timeout:g} s and was killed", output)
        if answer.too_long:
            most = f"{OUTPUT_LIMIT // 1024} KiB"
            self._fail("command", f"`{_short(command)}` printed more than {most}; write such an output to a file")
        assert answer.code is not None
        return Result(answer.code, output)

    def _end_command(self, run: _Run, answer: Answer) -> bool:
        """Kill a command that takes too long."""
        self._control.send(f"kill {answer.pid}\n".encode())
        if not self._wait(lambda: answer.code is not None or self._run is not run, _KILL_WAIT):
            if self._heartbeat.waiting:
                self._interrupt(run)
                self._wait(lambda: self._run is not run, 2 * _NMI_WAIT)
            before = len(self._lines)
            self._control.send(b"blocked\n")
            self._wait(lambda: self._run is not run, 1.0)
            trace = tuple(self._lines[before:])
            self._stop_now(Failure("hung-task", f"{self.name}: a command can't be killed", self.name, trace))
        return True

    def _succeed(self, what: str, title: str, command: str, timeout: float | None) -> str:
        with self._events.step(what, title, self.name) as step:
            result = self._command(command, timeout, step)
            if result.code:
                last = result.output.strip().rpartition("\n")[2]
                said = f": {last}" if last else ", and printed nothing"
                self._fail("command", f"`{_short(title)}` ended with exit code {result.code}{said}", result.output)
        return result.output

    def _until(self, what: str, command: str, timeout: float, good: Callable[[int], bool]) -> Result:
        end = time.monotonic() + timeout
        with self._events.step("wait", f"{what}: {command}", self.name) as step:
            while True:
                result = self._command(command, max(1.0, end - time.monotonic()))
                if good(result.code) or time.monotonic() + _RETRY > end:
                    break
                time.sleep(_RETRY)
            self._events.add("output", id=step.id, text=_bounded(result.output))
            if not good(result.code):
                how = f"still ends with exit code {result.code} after {timeout:g} s"
                self._fail("command", f"`{_short(command)}` {how}", result.output)
        return result

    def _wait(self, met: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until a condition is met; whether it is."""
        return self._loop.changed.wait_for(met, timeout)

    def _running(self) -> _Run:
        if not self._run:
            raise self._wrong(f"it isn't running; call {self.name}.start()")
        return self._run

    def _fail(self, kind: str, reason: str, details: str = "") -> NoReturn:
        raise TestFailed(Failure(kind, f"{self.name}: {reason}", self.name, details=details))

    def _wrong(self, reason: str) -> TestFailed:
        """For a script that asks for what can't be."""
        return TestFailed(Failure("script", f"{self.name}: {reason}", self.name))

    def _stop_now(self, failure: Failure) -> NoReturn:
        failure = replace(failure, machine=self.name)
        self._shared.stopper.stop(failure)
        raise TestStopped(failure)

    def _gone(self) -> NoReturn:
        """The machine ended while the script waited for it; the loop has found out why."""
        self._stop_now(Failure("qemu", f"{self.name}: the machine ended"))

    # QEMU: what follows runs under the loop's lock

    def _spawn(self) -> None:
        plan = self._plan
        self._requests = Requests()
        self._heartbeat = Heartbeat(lambda data: self._control.send(data))
        self._control = self._stream(self._controlled)
        self._commands = self._stream(self._received)
        self._monitor_stream = self._stream(lambda data: self._monitor.feed(data))
        self._monitor = Monitor(self._monitor_stream.send)
        addresses, networks = [], []
        for name in plan.networks:
            switch = self._shared.switches[name]
            networks.append(self._plug(switch))
            addresses.append(qemu.address(list(self._shared.switches).index(name), self._number))
        inherited = [self._monitor_stream, self._control, self._commands, *networks]
        numbers = [stream.other.fileno() for stream in inherited]
        initrd = _joined(plan.initrd)
        words = qemu.command_line(
            plan,
            self._shared.accelerator,
            f"/proc/self/fd/{initrd}",
            qemu.Descriptors(numbers[0], numbers[1], numbers[2], numbers[3:]),
            addresses,
            self._shared.user_network if self._number == 0 else None,
        )
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[*numbers, initrd],
                # Ctrl-C at a prompt is for the prompt.
                process_group=0,
            )
        finally:
            os.close(initrd)
            for stream in inherited:
                stream.other.close()
        assert process.stdout and process.stderr
        os.set_blocking(process.stdout.fileno(), False)
        self._run = _Run(process, Watcher(self.name), os.pidfd_open(process.pid))
        self._loop.watch(self._run.pidfd, self._ended)

    def _stream(self, received: Callable[[bytes], None]) -> Stream:
        stream = Stream(self._loop, received)
        self._streams.append(stream)
        return stream

    def _plug(self, switch: Switch) -> Stream:
        stream = self._stream(lambda data: switch.receive(port, data))
        port = switch.connect(stream.send, lambda: stream.waiting)
        self._ports.append((switch, port))
        return stream

    def _controlled(self, data: bytes) -> None:
        """Take what comes on the control line."""
        *lines, self._control_rest = (self._control_rest + data).split(b"\n")
        for line in lines:
            self._heartbeat.answer(line.strip())
            self._shell_ended = self._shell_ended or line.strip() == b"ended"

    def _received(self, data: bytes) -> None:
        """Take what comes from /init."""
        run = self._run
        assert run
        if run.ready is None:
            run.received += data
            if READY in run.received:
                run.ready = time.monotonic()
                run.watcher.booted = True
                self.boot_seconds = run.ready - run.started
                self._read_console()
                self._events.close(self._step)
        elif run.answer:
            run.answer.feed(data)
            if run.answer.code is not None:
                # What the kernel said meanwhile stands before the command's end in the log.
                self._read_console()

    def _read_console(self) -> None:
        """Take what has come from the console; called often enough, as every byte would be too often."""
        run = self._run
        if not run:
            return
        assert run.process.stdout
        while True:
            try:
                data = os.read(run.process.stdout.fileno(), _PIECE)
            except BlockingIOError:
                break
            if not data:
                break
            run.quiet.broken()
            self._show(run.watcher.feed(data, time.monotonic()))
            os.write(self._serial, data)
            if self._viewer:
                self._viewer(data)
            if run.watcher.failure and run.watcher.failure.kind == "flood":
                break
        self._look(run)

    def _show(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self._lines.append(line.text)
            self._events.add("console", machine=self.name, text=line.text, trouble=line.trouble)

    def _look(self, run: _Run) -> None:
        """Fail the test for what the console says."""
        if (failure := run.watcher.failure) and not run.expected_end:
            # What else it says then, it had to say before: new kernels print by a thread, which can't run.
            if run.nmi is not None and failure.kind == "panic":
                failure = self._silent(run, failure.trace)
            self._stop(run, failure)

    def _tick(self, now: float) -> None:
        run = self._run
        if not run:
            return
        self._read_console()
        run.watcher.poll(now)
        self._look(run)
        fair = run.clock.seconds(now)
        if run.ready is None:
            run.quiet.tick(now, fair)
            silent = run.quiet.seconds > _BOOT_SILENCE and run.quiet.ran > _BOOT_RAN
        else:
            self._heartbeat.tick(now, fair)
            silent = self._heartbeat.silent
        if run.nmi is not None:
            if now - run.nmi > _NMI_WAIT and not run.watcher.reporting:
                self._stop(run, self._silent(run, ()))
        elif silent and not run.watcher.reporting and not run.expected_end:
            self._interrupt(run)

    def _interrupt(self, run: _Run) -> None:
        """Have a machine that doesn't answer say where it is."""
        run.nmi = time.monotonic()
        self._monitor.inject_nmi()

    def _silent(self, run: _Run, trace: tuple[str, ...]) -> Failure:
        """The failure of a machine that doesn't answer; `trace` is what its kernel said to an NMI."""
        if run.ready is None:
            last = f"its last line: {self._lines[-1]}" if self._lines else "it never printed anything"
            reason = f"nothing on the console for {_BOOT_SILENCE:g} s while booting; {last}"
            return Failure("boot", f"{self.name}: {reason}", self.name, trace)
        how = "its kernel takes interrupts, but runs no process" if self._heartbeat.echoes else "the machine hangs"
        where = f" in {place_in(trace)}" if trace else ", and doesn't react to an NMI"
        return Failure("silent", f"{self.name}: no answer for {LIMIT:g} s: {how}{where}", self.name, trace)

    def _stop(self, run: _Run, failure: Failure) -> None:
        run.expected_end = True
        if run.ready is None and self._step.ok is None:
            self._events.close(self._step, False, failure.reason)
        self._shared.stopper.stop(failure)
        if failure.kind == "flood":
            run.process.kill()

    def _ended(self) -> None:
        """QEMU has ended."""
        run = self._run
        assert run and run.process.stdout and run.process.stderr and run.process.stdin
        for stream in self._streams:
            stream.drain()
        self._read_console()
        self._show(run.watcher.close(time.monotonic()))
        self._look(run)
        self._loop.forget(run.pidfd)
        os.close(run.pidfd)
        code = run.process.wait()
        said = run.process.stderr.read().decode(errors="replace").strip()
        for pipe in (run.process.stdin, run.process.stdout, run.process.stderr):
            pipe.close()
        for switch, port in self._ports:
            switch.disconnect(port)
        for stream in self._streams:
            stream.close()
        self._ports, self._streams = [], []
        self._run = None
        if not run.expected_end:
            self._stop(run, self._why_ended(code, said))

    def _why_ended(self, code: int, said: str) -> Failure:
        """Why QEMU ended, though nobody asked it to and the kernel gave no reason."""
        cause = self._monitor.shutdown
        if cause == "guest-reset":
            return Failure("reboot", f"{self.name}: the machine restarted, without a word of why", self.name)
        if cause in ("guest-shutdown", "guest-panic"):
            return Failure("reboot", f"{self.name}: the machine switched itself off", self.name)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if cause == "host-signal":
            how = "was ended by a signal"
        last = f": {said.splitlines()[-1]}" if said else ""
        return Failure("qemu", f"{self.name}: QEMU {how}{last}", self.name, details=said)


def _joined(archives: Sequence[str]) -> int:
    """A descriptor of a nameless file that has all the archives, as the kernel takes them."""
    joined = os.memfd_create("initrd")
    for archive in archives:
        with open(archive, "rb") as file:
            while os.sendfile(joined, file.fileno(), None, 1 << 30):
                pass
    return joined


def _parameter(value: object) -> str:
    return {True: "Y", False: "N"}[value] if isinstance(value, bool) else str(value)


def _short(command: str) -> str:
    """A command for a message of one line."""
    first, _, more = command.strip().partition("\n")
    return f"{first[:120]}..." if more or len(first) > 120 else first


def _bounded(text: str) -> str:
    if len(text) <= 2 * _LOGGED:
        return text
    left = len(text) - 2 * _LOGGED
    return f"{text[:_LOGGED]}\n... {left} characters left out ...\n{text[-_LOGGED:]}"


