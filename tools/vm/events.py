"""What happened during a test, as it happens: events.jsonl, a JSON object on each line.

`t` is in seconds since the driver's start. The kinds:

    start    name, accel, accel_reason, machines: [{name, release, line, flavour}], date
    open     id, parent (an id or null), machine (a name or null), what, title: a step begins
    output   id, text: what the command of a step printed
    close    id, ok, message (one line, or ""), details (several, or ""): the step ends
    log      text, parent: what the script says
    console  machine, text (one line), trouble: the kernel's console
    end      verdict, reason, kind_of_failure, trace: [line], machine, place

Each line is written out at once, so that what is known when the driver is killed can be read.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.vm.failure import Failure, TestFailed
from tools.vm.output import OutputFile


@dataclass
class Step:
    """A step of a test; `seconds` is how long it took, `ok` is None until it ends."""

    id: int
    parent: int | None
    depth: int
    machine: str | None
    what: str
    title: str
    began: float
    seconds: float = 0.0
    ok: bool | None = None


class EventLog:
    """Writes events; any thread may call it.

    `closed` is called with each step that ends, `lost` when nothing can be written any more.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.monotonic,
        closed: Callable[[Step], None] = lambda step: None,
        lost: Callable[[Failure], None] = lambda failure: None,
    ) -> None:
        self._file = OutputFile(path, lost)
        self._clock = clock
        self._closed = closed
        self._start = clock()
        self._lock = threading.Lock()
        self._stack: list[Step] = []
        self.steps: list[Step] = []

    def now(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def add(self, kind: str, **fields: Any) -> None:
        """Write one event."""
        with self._lock:
            line = json.dumps({"t": round(self.now(), 4), "kind": kind} | fields, ensure_ascii=False)
            # The console may hold any bytes; half a character can't be encoded.
            self._file.write(line.encode("utf-8", "replace") + b"\n")

    def open(self, what: str, title: str, machine: str | None = None, parent: Step | None = None) -> Step:
        """Begin a step; it ends by `close`."""
        with self._lock:
            depth = parent.depth + 1 if parent else 0
            step = Step(len(self.steps) + 1, parent.id if parent else None, depth, machine, what, title, self.now())
            self.steps.append(step)
        self.add("open", id=step.id, parent=step.parent, machine=machine, what=what, title=title)
        return step

    def close(self, step: Step, ok: bool = True, message: str = "", details: str = "") -> None:
        """End a step."""
        step.ok, step.seconds = ok, self.now() - step.began
        self.add("close", id=step.id, ok=ok, message=message, details=details)
        self._closed(step)

    @contextmanager
    def step(self, what: str, title: str, machine: str | None = None) -> Iterator[Step]:
        """A step of the script, inside of the one around it; what is raised in it is its end.

        Only the script's thread may use this.
        """
        step = self.open(what, title, machine, self.current)
        self._stack.append(step)
        try:
            yield step
        except BaseException as error:
            details = error.failure.details if isinstance(error, TestFailed) else ""
            self.close(step, False, str(error).partition("\n")[0] or type(error).__name__, details)
            raise
        else:
            self.close(step)
        finally:
            self._stack.pop()

    @property
    def current(self) -> Step | None:
        """The innermost step of the script that hasn't ended."""
        return self._stack[-1] if self._stack else None

    def log(self, text: str) -> None:
        """Write what the script says."""
        self.add("log", text=text, parent=self.current.id if self.current else None)

    def end(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()
