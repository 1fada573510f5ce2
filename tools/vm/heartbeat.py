"""Whether a machine still answers: pings on its control line.

Silence is measured by two clocks. The driver's: at most a short piece counts for each call of `tick`,
which come several times a second, because a driver that is stopped or starved doesn't hear answers
either. And the machine's (tools/vm/fair_clock.py): on a busy host it may not have run at all.
"""

from collections.abc import Callable

_PERIOD = 1.0  # seconds between pings
_SEEN = 0.5  # seconds that one tick can count at most
LIMIT = 10.0  # seconds by the driver's clock after which a machine is silent...
RAN = 3.0  # ...if it had so many by its own to answer


class Silence:
    """How long there was nothing, by the driver's clock and by the machine's."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self.seconds = 0.0
        self.ran = 0.0

    def tick(self, now: float, fair: float) -> None:
        """Let time pass, by both clocks."""
        if self._last:
            self.seconds += min(_SEEN, now - self._last[0])
            self.ran += min(_SEEN, fair - self._last[1])
        self._last = now, fair

    def broken(self) -> None:
        """There was something."""
        self.seconds = self.ran = 0.0


class Heartbeat:
    """`send` sends bytes to the guest's control line."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._number = 0
        self._answered = 0
        self._echoed = 0
        self._silence = Silence()
        self._last: float | None = None

    @property
    def silent(self) -> bool:
        """Whether the machine has owed an answer for too long."""
        return self._silence.seconds > LIMIT and self._silence.ran > RAN

    @property
    def overdue(self) -> bool:
        """Whether an answer is late: the machine may be about to be called silent."""
        return self._silence.seconds > 2 * _PERIOD

    @property
    def echoes(self) -> bool:
        """Whether its kernel returns pings, as terminals do, though no process answers."""
        # One that came just before the machine hung says nothing.
        return self._echoed - self._answered > 1

    def tick(self, now: float, fair: float) -> None:
        """Let time pass, by the driver's clock and by the machine's."""
        self._silence.tick(now, fair)
        if self._answered == self._number:
            self._silence.broken()
        if self._last is None or now - self._last >= _PERIOD:
            self._last = now
            self._number += 1
            self._send(f"ping {self._number}\n".encode())

    def answer(self, line: bytes) -> None:
        """Take a line that the machine sends."""
        word, _, number = line.partition(b" ")
        if word in (b"ping", b"pong") and number.isdigit():
            if word == b"ping":
                self._echoed = int(number)
            else:
                self._answered = int(number)
                self._silence.broken()
