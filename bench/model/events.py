"""A small engine for discrete events: processes that wait, and resources that they share.

A process is a generator. It yields a number of seconds to wait for, or a list of (resource, amount)
to use at the same time, or PAUSE to sleep until `Clock.wake`. Events at the same moment happen in
the order in which they were made, so a run is the same each time.
"""

import heapq
from collections.abc import Generator, Sequence
from enum import Enum
from typing import TypeAlias


class Pause(Enum):
    """The type of PAUSE."""

    PAUSE = 0


PAUSE = Pause.PAUSE
Request: TypeAlias = float | Sequence[tuple["Shared", float]] | Pause
Process: TypeAlias = Generator[Request, None, None]


class _Join:
    """A process that goes on when the last of its uses has ended."""

    __slots__ = ("left", "process")

    def __init__(self, process: Process, left: int) -> None:
        self.process = process
        self.left = left


class Clock:
    """The time, in seconds from the start, and what happens next."""

    def __init__(self) -> None:
        self.now = 0.0
        self._number = 0
        self._events: list[tuple[float, int, Process | None, Shared | None, int]] = []

    def _at(self, time: float, process: Process | None, shared: "Shared | None" = None, version: int = 0) -> None:
        self._number += 1
        heapq.heappush(self._events, (time, self._number, process, shared, version))

    def start(self, process: Process, delay: float = 0.0) -> None:
        """Let a new process run, after `delay` seconds."""
        self._at(self.now + delay, process)

    # A process that has paused goes on as a new one starts.
    wake = start

    def run(self) -> None:
        """Let everything happen until nothing is left to happen."""
        events = self._events
        while events:
            self.now, _, process, shared, version = heapq.heappop(events)
            if process is not None:
                self._step(process)
            elif shared is not None and shared.version == version:
                for join in shared.finished():
                    join.left -= 1
                    if not join.left:
                        self._step(join.process)

    def _step(self, process: Process) -> None:
        for request in process:
            if request is PAUSE:
                return
            if isinstance(request, float | int):
                if request > 0:
                    self._at(self.now + request, process)
                    return
            elif uses := [(shared, amount) for shared, amount in request if amount > 0]:
                join = _Join(process, len(uses))
                for shared, amount in uses:
                    shared.use(join, amount)
                return

    def expect(self, shared: "Shared", time: float, version: int) -> None:
        """Note when a resource has something finished."""
        self._at(time, None, shared, version)


class Shared:
    """A resource that its users share evenly: a network link in bytes, or cores in seconds.

    It gives at most `total` a second to all of them together, and at most `each` to one. All users
    have the same rate at any time, so one number, what each has had so far, tells who ends when.
    `others` are users from elsewhere that are always there.
    """

    def __init__(self, clock: Clock, total: float, each: float = float("inf"), others: float = 0.0) -> None:
        if total <= 0 or each <= 0 or others < 0:
            raise ValueError(f"a resource needs capacity, got {total} in total and {each} for each")
        self._others = others
        self.version = 0
        self.used = 0.0
        self._clock = clock
        self._total = total
        self._each = each
        self._given = 0.0
        self._since = 0.0
        self._number = 0
        self._users: list[tuple[float, int, _Join]] = []

    def _rate(self) -> float:
        return min(self._each, self._total / (len(self._users) + self._others))

    def _advance(self) -> None:
        if self._users:
            self._given += self._rate() * (self._clock.now - self._since)
        self._since = self._clock.now

    def _expect(self) -> None:
        self.version += 1
        if self._users:
            left = max(0.0, self._users[0][0] - self._given)
            self._clock.expect(self, self._clock.now + left / self._rate(), self.version)

    def use(self, join: _Join, amount: float) -> None:
        """Begin to use `amount` of it."""
        self._advance()
        self._number += 1
        self.used += amount
        heapq.heappush(self._users, (self._given + amount, self._number, join))
        self._expect()

    def finished(self) -> list[_Join]:
        """Who has had all of its amount now."""
        self._advance()
        # The event was made for the first user; rounding may leave it a hair short.
        self._given = max(self._given, self._users[0][0])
        found = []
        while self._users and self._users[0][0] <= self._given * (1 + 1e-12):
            found.append(heapq.heappop(self._users)[2])
        self._expect()
        return found
