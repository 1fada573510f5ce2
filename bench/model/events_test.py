"""The engine: order, pauses, and resources shared evenly."""

import pytest

from bench.model.events import PAUSE, Clock, Process, Shared


def test_a_shared_resource_is_shared_evenly() -> None:
    clock = Clock()
    link = Shared(clock, 10.0)
    ended: dict[str, float] = {}

    def transfer(name: str, amount: float) -> Process:
        yield [(link, amount)]
        ended[name] = clock.now

    clock.start(transfer("long", 100.0))
    clock.start(transfer("short", 20.0), delay=4.0)
    clock.run()
    # 40 alone; then 5 a second each: short ends at 8; the remaining 40 alone again.
    assert ended == {"short": pytest.approx(8.0), "long": pytest.approx(12.0)}
    assert link.used == 120.0


def test_nobody_gets_more_than_each() -> None:
    clock = Clock()
    cores = Shared(clock, 2.0, 1.0)
    ended: list[float] = []

    def compute() -> Process:
        yield [(cores, 3.0)]
        ended.append(clock.now)

    clock.start(compute())
    clock.run()
    for _ in range(4):
        clock.start(compute())
    clock.run()
    assert ended == pytest.approx([3.0, 9.0, 9.0, 9.0, 9.0])


def test_uses_at_the_same_time_take_as_long_as_the_longest() -> None:
    clock = Clock()
    fast, slow = Shared(clock, 10.0), Shared(clock, 1.0)

    def both() -> Process:
        yield [(fast, 10.0), (slow, 10.0)]

    clock.start(both())
    clock.run()
    assert clock.now == pytest.approx(10.0)


def test_a_process_sleeps_until_it_is_woken() -> None:
    clock = Clock()
    said: list[float] = []

    def sleeper() -> Process:
        yield PAUSE
        said.append(clock.now)

    sleeping = sleeper()

    def waker() -> Process:
        yield 2.5
        clock.wake(sleeping)

    clock.start(sleeping)
    clock.start(waker())
    clock.run()
    assert said == [2.5]


def test_a_resource_needs_capacity() -> None:
    with pytest.raises(ValueError, match="needs capacity"):
        Shared(Clock(), 0.0)
