"""A machine's console: bytes to lines, and the trouble that the kernel reports there.

Pure: time comes in, failures come out. Only lines with the kernel's time stamp count, so
what programs print is never taken for a report of the kernel.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from tools.vm.failure import Failure

# A report is complete when the kernel says so, when it pauses, or when it has grown this long.
_END = re.compile(r"---\[ end (?:trace|Kernel panic)")
_PAUSE = 0.5  # seconds
_LONGEST = 4.0  # seconds
_MOST_LINES = 400

# A flood is more than this many bytes in so many seconds; kernels say more while they boot.
_FLOOD_SECONDS = 10.0
_FLOOD_BYTES = 128 * 1024
_FLOOD_BYTES_BOOTING = 1024 * 1024
_FLOOD_TOTAL = 4 * 1024 * 1024
_LINE = 4096  # characters; longer ones are broken

_STAMP = re.compile(r"\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? (?P<message>.*)")
_CUT = "------------[ cut here ]------------"
_LOCKDEP = (
    r"possible circular locking dependency|inconsistent lock state|possible recursive locking|"
    r"possible irq lock inversion|suspicious RCU usage|bad unlock balance|bad contention|held lock freed|"
    r"lock held (?:when returning|at task exit)|process .* still has locks held|Nested lock was not taken|"
    r"[\w-]+-safe -> [\w-]+-unsafe lock order|Invalid wait context"
)
# What a report begins with, most special first; matched at the beginning of a message.
_REPORTS = [
    (kind, re.compile(expression))
    for kind, expression in [
        ("panic", r"Kernel panic - not syncing"),
        ("lockup", r"(?:.*: )?BUG: (?:soft|workqueue) lockup"),
        ("lockup", r"(?:.*: )?Watchdog detected hard LOCKUP"),
        ("rcu-stall", r"(?:rcu: )?INFO: rcu_\w+ (?:self-)?detected (?:\w+ )?stall"),
        ("rcu-stall", r"rcu: rcu_\w+ kthread (?:starved|timer wakeup didn't happen) for"),
        ("hung-task", r"INFO: task .* blocked (?:in I/O wait )?for more than \d+ seconds"),
        ("lockdep", rf"WARNING: (?:{_LOCKDEP})"),
        ("lockdep", r"INFO: trying to register non-static key"),
        ("warning", r"BUG: K[A-Z]SAN"),
        ("warning", r"BUG: KFENCE"),
        ("warning", r"UBSAN: "),
        ("oops", r"BUG: |BUG [\w-]+ \("),
        ("oops", r"kernel BUG at |Oops: |PANIC: double fault|Unable to handle kernel "),
        ("oops", r"(?:general protection fault|stack segment|invalid opcode|divide error|int3)\b.*\[#\d+\]"),
        ("oops", r"general protection fault, "),
        ("warning", r"WARNING: "),
        ("warning", r".*: page allocation failure: order:"),
        ("warning", r".* invoked oom-killer: |Out of memory: "),
        ("warning", r"unregister_netdevice: waiting for \S+ to become free"),
    ]
]  # fmt: skip
_PLACE = re.compile(r"RIP: 0010:(\S+\+0x\S+(?: \[\w+\])?)")


@dataclass(frozen=True)
class Line:
    """A line of a console; `trouble` says that it is part of a report."""

    text: str
    trouble: bool = False


def message_of(text: str) -> str | None:
    """What the kernel says in a line, without the time stamp; None for a line of a program's."""
    found = _STAMP.search(text)
    return found["message"] if found else None


def kind_of(message: str) -> str | None:
    """The kind of report that begins with this message."""
    return next((kind for kind, expression in _REPORTS if expression.match(message)), None)


def place_in(trace: Iterable[str]) -> str:
    """The function of the kernel that a trace is of, or ""."""
    return next((found[1] for line in trace if (found := _PLACE.search(line))), "")


@dataclass
class _Report:
    """A report while it is read; the kind isn't known before the line after "cut here"."""

    began: float
    kind: str = ""
    headline: str = ""
    said: str = ""
    lines: list[str] = field(default_factory=list)
    complete: bool = False

    def add(self, text: str) -> None:
        self.lines.append(text)
        message = message_of(text) or ""
        if not self.kind:
            if kind := kind_of(message):
                self.kind, self.headline = kind, message
            elif message != _CUT:
                # WARN and BUG print their text before they say what they are.
                self.said = self.said or message
        self.complete = bool(_END.search(message)) or len(self.lines) >= _MOST_LINES

    def failure(self, machine: str) -> Failure:
        reason = self.headline or self.said
        if self.headline and self.said:
            reason = f"{self.said}: {self.headline}"
        place = place_in(self.lines)
        if place.partition("+")[0] not in reason:
            reason += f" in {place}"
        return Failure(self.kind or "warning", f"{machine}: {reason}", machine, tuple(self.lines))


class Watcher:
    """Reads a machine's console.

    `failure` is the first trouble, once its report is complete; nothing is looked for after it.
    """

    def __init__(self, machine: str) -> None:
        self._machine = machine
        self._rest = ""
        self._report: _Report | None = None
        self._last = 0.0
        self._total = 0
        self._recent: deque[tuple[float, int]] = deque()
        self._recent_bytes = 0
        self.booted = False
        self.failure: Failure | None = None

    @property
    def reporting(self) -> bool:
        """Whether a report has begun and isn't complete."""
        return self._report is not None and self.failure is None

    def feed(self, data: bytes, now: float) -> list[Line]:
        """The lines that these bytes complete."""
        self._last = now
        *texts, self._rest = (self._rest + data.decode("utf-8", "backslashreplace")).split("\n")
        while len(self._rest) > _LINE:
            texts.append(self._rest[:_LINE])
            self._rest = self._rest[_LINE:]
        lines = [self._line(_printable(text), now) for text in texts]
        self._count(len(data), now, lines)
        return lines

    def dismiss(self) -> None:
        """The report that was found doesn't count; look for the next one."""
        self._report = self.failure = None

    def poll(self, now: float) -> None:
        """Let time pass: a report that has paused is complete."""
        if self._report and (now - self._last > _PAUSE or now - self._report.began > _LONGEST):
            self._complete()

    def close(self, now: float) -> list[Line]:
        """The machine is gone: what there is of a line and of a report is all."""
        lines = [self._line(_printable(self._rest), now)] if self._rest else []
        self._rest = ""
        if self._report:
            self._complete()
        return lines

    def _line(self, text: str, now: float) -> Line:
        if self.failure:
            return Line(text)
        if not self._report:
            message = message_of(text)
            if message is None or (message != _CUT and not kind_of(message)):
                return Line(text)
            self._report = _Report(now)
        self._report.add(text)
        if self._report.complete:
            self._complete()
        return Line(text, trouble=True)

    def _complete(self) -> None:
        if self._report and not self.failure:
            self.failure = self._report.failure(self._machine)

    def _count(self, size: int, now: float, lines: list[Line]) -> None:
        self._total += size
        self._recent.append((now, size))
        self._recent_bytes += size
        while self._recent[0][0] < now - _FLOOD_SECONDS:
            self._recent_bytes -= self._recent.popleft()[1]
        if self._total > _FLOOD_TOTAL:
            how = f"{_FLOOD_TOTAL // 1024} KiB in all"
        elif self._recent_bytes > (_FLOOD_BYTES if self.booted else _FLOOD_BYTES_BOOTING):
            how = f"{self._recent_bytes // 1024} KiB within {_FLOOD_SECONDS:g} s"
        else:
            return
        if not self.failure:
            last = tuple(line.text for line in lines[-20:])
            reason = f"{self._machine}: the console is flooded, {how}" + (f", such as: {last[-1]}" if last else "")
            self.failure = Failure("flood", reason, self._machine, last)


def _printable(text: str) -> str:
    """A line without what would move a terminal's cursor."""
    return "".join(character for character in text if character.isprintable() or character == "\t")
