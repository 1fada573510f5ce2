"""The thread that reads, while others wait."""

import os
import time
from collections.abc import Iterator

import pytest

from tools.vm.failure import Failure
from tools.vm.loop import Loop, Stopper, Stream


@pytest.fixture
def broken() -> list[BaseException]:
    return []


@pytest.fixture
def loop(broken: list[BaseException]) -> Iterator[Loop]:
    loop = Loop(broken.append)
    yield loop
    loop.close()


def test_what_is_waited_for_is_noticed(loop: Loop) -> None:
    got = bytearray()
    with loop.changed:
        stream = Stream(loop, got.extend)
        stream.other.sendall(b"hello")
        assert loop.changed.wait_for(lambda: got == b"hello", 5)
        stream.close()


def test_much_is_sent_without_waiting_for_the_other_side(loop: Loop) -> None:
    data = os.urandom(3_000_000)
    with loop.changed:
        stream = Stream(loop, lambda data: None)
        stream.send(data)
        assert stream.waiting > 0
    got = bytearray()
    while len(got) < len(data):
        got += stream.other.recv(65536)
    assert got == data
    with loop.changed:
        assert loop.changed.wait_for(lambda: stream.waiting == 0, 5)
        stream.close()


def test_a_stream_whose_other_side_has_gone_takes_anything(loop: Loop) -> None:
    with loop.changed:
        stream = Stream(loop, lambda data: None)
        stream.other.close()
        stream.send(b"x")
        assert loop.changed.wait_for(lambda: not stream.is_open, 5)
        stream.send(b"x")


def test_the_loop_ticks(loop: Loop) -> None:
    ticks: list[float] = []
    with loop.changed:
        loop.tick.append(ticks.append)
        assert loop.changed.wait_for(lambda: len(ticks) >= 3, 5)
    assert ticks == sorted(ticks) and ticks[-1] <= time.monotonic()


def test_an_error_in_the_loop_is_told(loop: Loop, broken: list[BaseException]) -> None:
    def fail(now: float) -> None:
        raise OSError("no space")

    with loop.changed:
        loop.tick.append(fail)
    end = time.monotonic() + 5
    while not broken and time.monotonic() < end:
        time.sleep(0.01)
    assert [str(error) for error in broken] == ["no space"]


def test_the_first_failure_counts() -> None:
    told: list[Failure] = []
    stopper = Stopper(told.append)
    first, second = Failure("oops", "first"), Failure("qemu", "second")
    stopper.stop(first)
    stopper.stop(second)
    assert (stopper.failure, told) == (first, [first])
