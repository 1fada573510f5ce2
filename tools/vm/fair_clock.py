"""Time as a process sees it: what it spent waiting for a processor doesn't count.

A machine on a busy host is slow, not silent: limits on how long it may be silent go by this clock.
"""

import time
from collections import deque
from pathlib import Path

_MEMORY = 120.0  # seconds


def waited_seconds(pid: int, proc: Path = Path("/proc")) -> float:
    """How long the process's thread that waited longest was runnable and had no processor.

    From the second number, nanoseconds, of /proc/PID/task/TID/schedstat (Linux's
    Documentation/scheduler/sched-stats.rst). 0 where the kernel doesn't tell, or the process is gone.
    """
    longest = 0
    try:
        for thread in (proc / str(pid) / "task").iterdir():
            longest = max(longest, int((thread / "schedstat").read_text().split()[1]))
    except (OSError, IndexError, ValueError):
        pass
    return longest / 1e9


class FairClock:
    """Seconds since the clock was made, without those that the process waited; never goes back.

    It remembers the last two minutes that it was read in.
    """

    def __init__(self, pid: int, proc: Path = Path("/proc")) -> None:
        self._pid = pid
        self._proc = proc
        self._started = time.monotonic()
        self._seconds = 0.0
        self._waited = 0.0
        self._read: deque[tuple[float, float]] = deque([(self._started, 0.0)])

    def seconds(self, now: float) -> float:
        """The time, `now` by time.monotonic()."""
        # A process that has just ended has no threads, and waited nonetheless.
        self._waited = max(self._waited, waited_seconds(self._pid, self._proc))
        fair = now - self._started - self._waited
        self._seconds = max(self._seconds, fair)
        self._read.append((now, self._seconds))
        while self._read[0][0] < now - _MEMORY:
            self._read.popleft()
        return self._seconds

    def ran(self, seconds: float) -> float:
        """How much of the last seconds, until it was last read, the process didn't wait."""
        begin = self._read[-1][0] - seconds
        return self._seconds - next(fair for now, fair in self._read if now >= begin)
