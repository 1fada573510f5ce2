"""A run of a VM test, read back from the events that the driver wrote.

events.jsonl has a JSON object on each line, `t` seconds after the driver's start (tools/vm says
which kinds there are). A driver that was killed leaves no `end` and perhaps half a line: what is
there is a run all the same. Kinds that are unknown here are passed over.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.lib.errors import UserError

# Console lines beyond this many are left out in the middle, so that memory and page stay bounded.
FIRST_LINES = 20_000
LAST_LINES = 100_000
KILLED = "the driver ended without a verdict; it was killed, or is still running"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a machine's console, `t` seconds after the start."""

    t: float
    machine: str
    text: str
    trouble: bool


@dataclass(slots=True)
class Console:
    """Console lines with nothing else in between; `left_out` of them between first and last."""

    first: list[Line] = field(default_factory=list)
    left_out: int = 0
    last: deque[Line] = field(default_factory=deque)


@dataclass(slots=True)
class Output:
    """What a command printed."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A script's `log(text)`."""

    t: float
    text: str


@dataclass(slots=True)
class Step:
    """A section of the script, or something that it did. `ok` is None when it never ended."""

    id: int
    machine: str
    what: str
    title: str
    start: float
    end: float = 0.0
    ok: bool | None = None
    message: str = ""
    details: str = ""
    items: "list[Item]" = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start

    @property
    def steps(self) -> "list[Step]":
        """The steps directly inside."""
        return [item for item in self.items if isinstance(item, Step)]


Item = Step | Output | Note | Console


@dataclass
class Run:
    """A whole run.

    machines: releases by machine name. root: a step around everything.
    trace: lines of a console that show the failure, of `trace_machine`.
    place: "FILE:LINE: text" in the script; "" if the failure has none.
    """

    name: str = "a VM test"
    accel: str = ""
    accel_reason: str = ""
    date: str = ""
    machines: dict[str, str] = field(default_factory=dict)
    root: Step = field(default_factory=lambda: Step(0, "", "run", "", 0.0))
    verdict: str = "failed"
    reason: str = KILLED
    kind_of_failure: str = "killed"
    trace: list[str] = field(default_factory=list)
    trace_machine: str = ""
    place: str = ""

    @property
    def passed(self) -> bool:
        """Whether the verdict is "passed"."""
        return self.verdict == "passed"

    def failing(self) -> list[Step]:
        """The steps that failed, outermost first; empty if the run passed or failed outside of any.

        The last step of the run that didn't end well counts: a script may have coped with earlier ones.
        """
        path: list[Step] = []
        step = self.root
        while not self.passed and (bad := [inner for inner in step.steps if not inner.ok]):
            step = bad[-1]
            path.append(step)
        return path

    def boot_seconds(self) -> float | None:
        """How long the first boot took, if one ended."""
        found = next((step for step in walk(self.root) if step.what == "boot" and step.ok), None)
        return found.seconds if found else None


def walk(step: Step) -> Iterator[Step]:
    """All steps inside, in order."""
    for inner in step.steps:
        yield inner
        yield from walk(inner)


class _Reader:
    def __init__(self) -> None:
        self.run = Run()
        self._steps: dict[int, Step] = {}
        self._open: list[Step] = [self.run.root]
        self._first = 0
        self._recent: deque[Console] = deque()
        self._handlers = {
            "start": self._start,
            "open": self._open_step,
            "output": self._output,
            "console": self._console,
            "log": self._log,
            "close": self._close,
            "end": self._end,
        }

    def take(self, event: Mapping[str, Any]) -> None:
        t = float(event["t"])
        self.run.root.end = max(self.run.root.end, t)
        handler = self._handlers.get(event["kind"])
        if handler:
            handler(event, t)

    def finish(self) -> Run:
        for step in self._open:
            step.end = self.run.root.end
        return self.run

    def _start(self, event: Mapping[str, Any], t: float) -> None:
        run = self.run
        run.name, run.date = str(event["name"]), str(event.get("date") or "")
        run.accel, run.accel_reason = str(event.get("accel") or ""), str(event.get("accel_reason") or "")
        run.machines = {str(machine["name"]): str(machine.get("release") or "") for machine in event["machines"]}

    def _open_step(self, event: Mapping[str, Any], t: float) -> None:
        machine = str(event.get("machine") or "")
        step = Step(int(event["id"]), machine, str(event["what"]), str(event["title"]), t)
        self._steps.get(event.get("parent") or 0, self.run.root).items.append(step)
        self._steps[step.id] = step
        self._open.append(step)

    def _close(self, event: Mapping[str, Any], t: float) -> None:
        step = self._steps[event["id"]]
        step.end, step.ok = t, bool(event["ok"])
        step.message, step.details = str(event.get("message") or ""), str(event.get("details") or "")
        if step in self._open:
            self._open.remove(step)

    def _output(self, event: Mapping[str, Any], t: float) -> None:
        items = self._steps[event["id"]].items
        if items and isinstance(items[-1], Output):
            items[-1].text += str(event["text"])
        else:
            items.append(Output(str(event["text"])))

    def _log(self, event: Mapping[str, Any], t: float) -> None:
        step = self._steps.get(event.get("parent") or 0, self._open[-1])
        step.items.append(Note(t, str(event["text"])))

    def _console(self, event: Mapping[str, Any], t: float) -> None:
        machine = str(event["machine"])
        # Steps of several machines may be open at once, such as their boots.
        own = next((step for step in reversed(self._open) if step.machine == machine), self._open[-1])
        items = own.items
        if not items or not isinstance(items[-1], Console):
            items.append(Console())
        console = items[-1]
        assert isinstance(console, Console)
        line = Line(t, machine, str(event["text"]), bool(event.get("trouble")))
        if self._first < FIRST_LINES:
            self._first += 1
            console.first.append(line)
            return
        console.last.append(line)
        self._recent.append(console)
        if len(self._recent) > LAST_LINES:
            oldest = self._recent.popleft()
            oldest.last.popleft()
            oldest.left_out += 1

    def _end(self, event: Mapping[str, Any], t: float) -> None:
        run = self.run
        run.verdict, run.reason = str(event["verdict"]), str(event.get("reason") or "")
        run.kind_of_failure = str(event.get("kind_of_failure") or "")
        run.trace = [str(line) for line in event.get("trace") or []]
        run.trace_machine, run.place = str(event.get("machine") or ""), str(event.get("place") or "")


def read_run(path: Path) -> Run:
    """Read events.jsonl. Raises UserError that names the line which is no event."""
    reader = _Reader()
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    reader.take(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    if not line.endswith("\n"):
                        break
                    raise UserError(f"{path}:{number}: not an event of a VM test ({error!r})") from error
    except OSError as error:
        raise UserError(f"{path}: cannot read the events: {error.strerror}") from error
    return reader.finish()
