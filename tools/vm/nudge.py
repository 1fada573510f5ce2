"""Signals that the main thread hears, whatever it waits in.

Python only notes a signal that comes, and runs its handler when the main thread executes Python again. A
call that is just about to wait doesn't know of it and waits on: readline for a key, time.sleep for its whole
time. So the loop hears of each signal, too (signal.set_wakeup_fd), and signals the main thread again
until it has come by.
"""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from tools.vm.loop import Loop

_NUDGE = signal.SIGUSR1


class Nudge:
    """Made by the main thread, which then calls `came` after each nudge; that may raise what it likes."""

    def __init__(self, loop: Loop, came: Callable[[], None]) -> None:
        self._came = came
        self._main = threading.main_thread().ident or 0
        self._due = False
        self._reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(_NUDGE, self._here)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        loop.watch(self._reading, self._heard)
        loop.tick.append(self._again)

    def __call__(self) -> None:
        """Have the main thread call `came` soon; any thread may ask for it."""
        self._due = True
        signal.pthread_kill(self._main, _NUDGE)

    def _heard(self) -> None:
        """Some signals have come: the pipe has their numbers."""
        if set(os.read(self._reading, 4096)) - {_NUDGE}:
            self._due = True

    def _again(self, now: float) -> None:
        if self._due:
            signal.pthread_kill(self._main, _NUDGE)

    def _here(self, number: int, frame: FrameType | None) -> None:
        # In this order: the call runs the handlers of signals that came before.
        self._due = False
        self._came()
