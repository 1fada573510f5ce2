"""A starved process's time stands still."""

import os
import shutil
import time
from pathlib import Path

from tools.vm.fair_clock import FairClock, waited_seconds


def _threads(proc: Path, *nanoseconds: int) -> None:
    for number, waited in enumerate(nanoseconds):
        thread = proc / "7/task" / str(number)
        thread.mkdir(parents=True, exist_ok=True)
        (thread / "schedstat").write_text(f"123 {waited} 4\n")


def test_the_thread_that_waited_longest_counts(tmp_path: Path) -> None:
    _threads(tmp_path, 1_500_000_000, 3_000_000_000, 0)
    assert waited_seconds(7, tmp_path) == 3.0


def test_the_kernel_s_own_file_is_read() -> None:
    assert waited_seconds(os.getpid()) >= 0.0
    assert Path("/proc/self/schedstat").exists()


def test_a_kernel_that_tells_nothing_and_a_process_that_is_gone_have_waited_0_s(tmp_path: Path) -> None:
    assert waited_seconds(7, tmp_path) == 0.0


def test_waiting_does_not_count_and_time_never_goes_back(tmp_path: Path) -> None:
    _threads(tmp_path, 0)
    start = time.monotonic()
    clock = FairClock(7, tmp_path)
    assert 9.0 < clock.seconds(start + 10.0) <= 10.0
    _threads(tmp_path, 4_000_000_000)
    assert 9.0 < clock.seconds(start + 12.0) <= 10.0
    assert 15.0 < clock.seconds(start + 20.0) <= 16.0


def test_when_the_process_ends_time_doesn_t_leap_by_all_that_it_waited(tmp_path: Path) -> None:
    _threads(tmp_path, 40_000_000_000)
    start = time.monotonic()
    clock = FairClock(7, tmp_path)
    before = clock.seconds(start + 50.0)
    shutil.rmtree(tmp_path / "7")
    assert clock.seconds(start + 51.0) - before < 1.1


def test_how_much_of_the_last_seconds_it_ran(tmp_path: Path) -> None:
    _threads(tmp_path, 0)
    start = time.monotonic()
    clock = FairClock(7, tmp_path)
    clock.seconds(start + 10.0)
    _threads(tmp_path, 4_000_000_000)
    clock.seconds(start + 15.0)
    assert abs(clock.ran(5.0) - 1.0) < 0.1
    assert 10.0 < clock.ran(100.0) <= 11.0
