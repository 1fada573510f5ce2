"""The main thread hears of a signal that didn't interrupt what it waits in."""

import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

import pytest

from tools.vm.loop import Loop
from tools.vm.nudge import Nudge

_LONG = 30.0  # seconds


class _Heard(Exception):
    """What ends the waiting."""


@pytest.fixture
def loop() -> Iterator[Loop]:
    before = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGUSR1)]
    loop = Loop(lambda error: None)
    yield loop
    signal.set_wakeup_fd(-1)
    for number, handler in before:
        signal.signal(number, handler)
    loop.close()


def _signal_without_interrupting(number: int) -> None:
    """A system call of the main thread goes on, as if the signal had come just before it."""

    def from_another_thread() -> None:
        time.sleep(0.2)
        signal.pthread_kill(threading.get_ident(), number)

    threading.Thread(target=from_another_thread).start()


def test_a_signal_that_interrupts_nothing_is_heard(loop: Loop) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        raise _Heard

    signal.signal(signal.SIGTERM, end)
    Nudge(loop, lambda: None)
    _signal_without_interrupting(signal.SIGTERM)
    began = time.monotonic()
    with pytest.raises(_Heard):
        time.sleep(_LONG)
    assert time.monotonic() - began < _LONG / 2


def test_a_nudge_is_given_once_and_again_until_it_is_felt(loop: Loop) -> None:
    felt: list[float] = []
    nudge = Nudge(loop, lambda: felt.append(time.monotonic()))
    nudge()
    time.sleep(0.5)
    assert len(felt) == 1
    # Nobody is interrupted by this one.
    _signal_without_interrupting(signal.SIGUSR1)
    time.sleep(0.5)
    assert len(felt) == 2


def test_what_comes_of_a_nudge_may_end_the_waiting(loop: Loop) -> None:
    def end() -> None:
        raise _Heard

    nudge = Nudge(loop, end)
    threading.Timer(0.2, nudge).start()
    with pytest.raises(_Heard):
        time.sleep(_LONG)
