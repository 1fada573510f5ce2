"""What this machine's processors do: the time that processes have taken, and how many others want them.

Format of /proc/PID/stat: proc_pid_stat(5).
"""

import os
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_TICKS = os.sysconf("SC_CLK_TCK")
_SECONDS = 3.0  # between samples; one costs some 30 ms of a processor


@dataclass(frozen=True)
class Process:
    """One line of the process table. seconds: processor time, of ended children too."""

    name: str
    parent: int
    state: str
    nice: int
    seconds: float


def parse_stat(text: str) -> Process:
    """A process from its stat file; the name may have spaces and brackets."""
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return Process(name, int(fields[1]), fields[0], int(fields[16]), sum(map(int, fields[11:15])) / _TICKS)


def table() -> dict[int, Process]:
    """All processes by id."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found[int(entry)] = parse_stat(Path("/proc", entry, "stat").read_text())
            except (OSError, ValueError):
                continue
    return found


def family(processes: dict[int, Process], roots: Collection[int]) -> set[int]:
    """These processes and all below them."""
    children: dict[int, list[int]] = {}
    for number, process in processes.items():
        children.setdefault(process.parent, []).append(number)
    found, waiting = set(), list(roots)
    while waiting:
        number = waiting.pop()
        if number in processes and number not in found:
            found.add(number)
            waiting += children.get(number, ())
    return found


def weight(nice: int) -> float:
    """How much of a processor a process of that nice value gets against one of 0: 1.25 for each step (sched(7))."""
    return 1.25**-nice


def wanting(ours: Collection[int]) -> float:
    """How many threads of processes other than ours want a processor now, by their weight."""
    found = 0.0
    for number in table():
        if number in ours:
            continue
        try:
            for thread in Path(f"/proc/{number}/task").iterdir():
                process = parse_stat((thread / "stat").read_text())
                if process.state == "R":
                    found += weight(process.nice)
        except (OSError, ValueError):
            continue
    return found


class Others:
    """While it is entered, counts what other programs want; `mean` of the samples afterwards."""

    def __init__(self, roots: Callable[[], Collection[int]]) -> None:
        """`roots` gives the ids of our own processes that have no other of ours above them."""
        self.mean = 0.0
        self._roots = roots
        self._samples: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while True:
            self._samples.append(wanting(family(table(), [os.getpid(), *self._roots()])))
            if self._ended.wait(_SECONDS):
                return

    def __enter__(self) -> "Others":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self.mean = sum(self._samples) / len(self._samples)
