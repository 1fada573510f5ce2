"""One run of a machine: its QEMU, from the start to the end, and what is seen of it meanwhile.

All of it runs on the loop's thread or under its lock (tools/vm/loop.py).
"""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import NoReturn

from tools.vm import endings, qemu
from tools.vm.agent import READY, Answer
from tools.vm.console import Watcher, message_of
from tools.vm.endings import BOOT_RAN, BOOT_SILENCE
from tools.vm.events import Step
from tools.vm.failure import Failure, TestStopped
from tools.vm.fair_clock import FairClock
from tools.vm.heartbeat import Heartbeat, Silence
from tools.vm.loop import Stream
from tools.vm.monitor import Monitor
from tools.vm.network import Switch
from tools.vm.plan import MachinePlan
from tools.vm.surroundings import Surroundings
from tools.vm.transcript import Transcript

_NMI_WAIT = 3.0  # seconds that a hung kernel has to say where it is
_PIECE = 65536
# Reports of a kernel that something took too long, with the seconds that it takes for too long (tools/vm/qemu.py).
# They go by the true time: where the host's processors are busy, the machine may have had none of it. A report
# counts if the machine had _RAN seconds, also since one before that said the same.
_TOO_LONG = {"rcu-stall": 9.0, "lockup": 6.0, "hung-task": 10.0}
_RAN = 2.0  # seconds
_AGAIN = 4  # times as long may pass until a report is said again


@dataclass(frozen=True)
class _Doubted:
    """A report that was dismissed: since when its time counts, and when it came."""

    failure: Failure
    since: float
    came: float

    def current(self, now: float) -> bool:
        """Whether it may be about what goes on now."""
        return now - self.came <= _AGAIN * _TOO_LONG[self.failure.kind]


class Running:
    """A QEMU that runs, or ran.

    changed: the loop's lock. ready: when it took commands, by time.monotonic(), or None.
    boot_seconds: how long that took.
    over: whether it has ended. expected_end: whether it may end, and nothing that it says is a failure any more.
    seconds: its own time (tools/vm/fair_clock.py). answer: what takes the answer to the command that runs.
    shell_ended: whether the shell on the console has ended.
    dismissed: messages of the kernel's that don't count. dismissed_lockup: whether a lockup was among them.
    """

    def __init__(
        self, plan: MachinePlan, number: int, shared: Surroundings, transcript: Transcript, step: Step
    ) -> None:
        self._name = plan.name
        self._shared = shared
        self._loop = shared.loop
        self.changed = shared.loop.changed
        self._transcript = transcript
        self._step = step
        self._streams: list[Stream] = []
        self._ports: list[tuple[Switch, int]] = []
        self._watcher = Watcher(plan.name)
        self._quiet = Silence()
        self._nmi: float | None = None
        self._lines_before_nmi = 0
        self._doubted: dict[str, _Doubted] = {}
        self._received = b""
        self._control_rest = b""
        self.ready: float | None = None
        self.boot_seconds: float | None = None
        self.over = False
        self.expected_end = False
        self.seconds = 0.0
        self.answer: Answer | None = None
        self.shell_ended = False
        self.dismissed: set[str] = set()
        self.dismissed_lockup = False
        self.control = self._stream(self._controlled)
        self.commands = self._stream(self._answered)
        self._heartbeat = Heartbeat(self.control.send)
        monitor = self._stream(lambda data: self._monitor.feed(data))
        self._monitor = Monitor(monitor.send)
        try:
            self._process = self._start(plan, number, monitor)
        except BaseException:
            self._unplug()
            raise
        self._started = time.monotonic()
        self._clock = FairClock(self._process.pid)
        self._pidfd = os.pidfd_open(self._process.pid)
        self._loop.watch(self._pidfd, self._ended)
        self._loop.tick.append(self._tick)

    def _start(self, plan: MachinePlan, number: int, monitor: Stream) -> "subprocess.Popen[bytes]":
        shared = self._shared
        addresses, networks = [], []
        for name in plan.networks:
            networks.append(self._plug(shared.switches[name]))
            addresses.append(qemu.address(list(shared.switches).index(name), number))
        inherited = [monitor, self.control, self.commands, *networks]
        numbers = [stream.other.fileno() for stream in inherited]
        with ExitStack() as stack:
            for stream in inherited:
                stack.callback(stream.other.close)
            initrd = os.memfd_create("initrd")
            stack.callback(os.close, initrd)
            _join(plan.initrd, initrd)
            words = qemu.command_line(
                plan,
                shared.accelerator,
                f"/proc/self/fd/{initrd}",
                qemu.Descriptors(numbers[0], numbers[1], numbers[2], numbers[3:]),
                addresses,
                shared.user_network if number == 0 else None,
            )
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[*numbers, initrd],
                # Ctrl-C at a prompt is for the prompt.
                process_group=0,
            )
        assert process.stdout
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def _stream(self, received: Callable[[bytes], None]) -> Stream:
        stream = Stream(self._loop, received)
        self._streams.append(stream)
        return stream

    def _plug(self, switch: Switch) -> Stream:
        stream = self._stream(lambda data: switch.receive(port, data))
        port = switch.connect(stream.send, lambda: stream.waiting)
        self._ports.append((switch, port))
        return stream

    def _unplug(self) -> None:
        for switch, port in self._ports:
            switch.disconnect(port)
        for stream in self._streams:
            stream.close()

    # For the machine's methods

    @property
    def reporting(self) -> bool:
        """Whether the kernel is in the middle of a report."""
        return self._watcher.reporting

    def wait(self, met: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until something is so, or the machine has ended; whether it is so.

        `timeout` is in seconds of the machine's own time. One that owes an answer is given more: whether it
        hangs is for the heartbeat to find out, which stops the script.
        """
        end = None if timeout is None else self.seconds + timeout

        def late() -> bool:
            return end is not None and self.seconds >= end and (self.expected_end or not self._heartbeat.overdue)

        self.changed.wait_for(lambda: met() or self.over or late())
        return met()

    def give_up(self, failure: Failure) -> NoReturn:
        """End the test from the script's side."""
        self._shared.stopper.stop(failure)
        raise TestStopped(failure)

    def gone(self) -> NoReturn:
        """The machine ended while the script waited for it; the loop has found out why."""
        self.give_up(Failure("qemu", f"{self._name}: the machine ended", self._name))

    def send_keys(self, data: bytes) -> None:
        """Send bytes to the console, if it's still there."""
        if not self.over and self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.write(data)
                self._process.stdin.flush()

    def kill(self, timeout: float) -> None:
        """End QEMU and wait for that, at most so many seconds."""
        self.expected_end = True
        if not self.over:
            self._process.kill()
            self.changed.wait_for(lambda: self.over, timeout)

    def read_console(self) -> None:
        """Take what has come from the console; called often enough, as every byte would be too often."""
        assert self._process.stdout
        while not self.over:
            try:
                data = os.read(self._process.stdout.fileno(), _PIECE)
            except BlockingIOError:
                break
            if not data:
                break
            self._quiet.broken()
            self._transcript.add(self._watcher.feed(data, time.monotonic()))
            self._transcript.bytes(data)
            if self._watcher.failure and self._watcher.failure.kind == "flood":
                break
        self._look()

    # What comes from QEMU

    def _controlled(self, data: bytes) -> None:
        """Take what comes on the control line."""
        *lines, self._control_rest = (self._control_rest + data).split(b"\n")
        for line in lines:
            self._heartbeat.answer(line.strip())
            self.shell_ended = self.shell_ended or line.strip() == b"ended"

    def _answered(self, data: bytes) -> None:
        """Take what comes from /init."""
        if self.ready is None:
            self._received += data
            if READY in self._received:
                self.ready = time.monotonic()
                self.boot_seconds = self.ready - self._started
                self._watcher.booted = True
                self.read_console()
                self._shared.events.close(self._step)
        elif self.answer:
            self.answer.feed(data)
            if self.answer.code is not None:
                # What the kernel said meanwhile stands before the command's end in the log.
                self.read_console()

    def _look(self) -> None:
        """Fail the test for what the console says."""
        failure = self._watcher.failure
        if not failure or self.expected_end:
            return
        # What else it says then, it had to say before: new kernels print by a thread, which can't run.
        if self._nmi is not None and failure.kind == "panic":
            self._stop(self._silent(failure.trace))
        elif failure.kind not in _TOO_LONG or not self._dismissed(failure):
            self._stop(failure)

    def _dismissed(self, failure: Failure) -> bool:
        """Whether a report that something took too long is passed over, as the machine had no processor meanwhile."""
        limit, now = _TOO_LONG[failure.kind], time.monotonic()
        before = self._doubted.get(failure.kind)
        since = before.since if before and before.current(now) else now - limit
        if (ran := self._clock.ran(now - since)) >= _RAN:
            return False
        self._doubted[failure.kind] = _Doubted(failure, since, now)
        self._watcher.dismiss()
        self.dismissed |= {message_of(line) or "" for line in failure.trace}
        self.dismissed_lockup = self.dismissed_lockup or failure.kind == "lockup"
        had = f"had a processor for only {ran:.1f} of {now - since:.0f} s"
        self._shared.events.log(f"{failure.reason} (not counted: the machine {had}; the host is busy)")
        return True

    def _tick(self, now: float) -> None:
        self.seconds = self._clock.seconds(now)
        self.read_console()
        self._watcher.poll(now)
        self._look()
        if self.ready is None:
            self._quiet.tick(now, self.seconds)
            silent = self._quiet.seconds > BOOT_SILENCE and self._quiet.ran > BOOT_RAN
        else:
            self._heartbeat.tick(now, self.seconds)
            silent = self._heartbeat.silent
        if self._nmi is not None:
            if self.seconds - self._nmi > _NMI_WAIT and not self._watcher.reporting and not self.expected_end:
                self._stop(self._silent(()))
        elif silent and not self._watcher.reporting and not self.expected_end:
            if doubted := [report for report in self._doubted.values() if report.current(now)]:
                # So it was true.
                self._stop(doubted[-1].failure)
                return
            # A machine that doesn't answer is to say where it is.
            self._nmi = self.seconds
            self._lines_before_nmi = len(self._transcript.lines)
            self._monitor.inject_nmi()

    def _silent(self, trace: tuple[str, ...]) -> Failure:
        """The failure of a machine that doesn't answer; `trace` is what its kernel said to an NMI."""
        if self.ready is None:
            return endings.silent_boot(self._name, self._transcript.lines[: self._lines_before_nmi], trace)
        return endings.silent(self._name, self._heartbeat.echoes, trace)

    def _stop(self, failure: Failure) -> None:
        self.expected_end = True
        if self.ready is None and self._step.ok is None:
            self._shared.events.close(self._step, False, failure.reason)
        self._shared.stopper.stop(failure)
        if failure.kind == "flood":
            self._process.kill()

    def _ended(self) -> None:
        """QEMU has ended."""
        process = self._process
        for stream in self._streams:
            stream.drain()
        self.read_console()
        self._transcript.add(self._watcher.close(time.monotonic()))
        self._look()
        self.over = True
        self._loop.tick.remove(self._tick)
        self._loop.forget(self._pidfd)
        os.close(self._pidfd)
        code = process.wait()
        assert process.stderr
        said = process.stderr.read().decode(errors="replace").strip()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        self._unplug()
        if self.expected_end:
            return
        # Its kernel panics at the NMI, and doesn't always say so.
        asked = self._nmi is not None and self._monitor.shutdown == "guest-reset"
        self._stop(self._silent(()) if asked else endings.ended(self._name, self._monitor.shutdown, code, said))


def _join(archives: Sequence[str], joined: int) -> None:
    """Write all the archives to a file, as the kernel takes them."""
    for archive in archives:
        with open(archive, "rb") as file:
            while os.sendfile(joined, file.fileno(), None, 1 << 30):
                pass
