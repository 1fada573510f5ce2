"""Reading the process table, and counting what others want of the machine."""

import os
import subprocess
import sys
import time

import pytest

from bench.machine import Others, Process, family, parse_stat, table, wanting, weight


def test_parse_stat() -> None:
    text = "12 (a (b) c) R 7 12 12 0 -1 4194560 1 0 0 0 100 50 200 150 25 5 1 0 99"
    assert parse_stat(text) == Process("a (b) c", 7, "R", 5, 500 / os.sysconf("SC_CLK_TCK"))


def test_family() -> None:
    processes = {number: Process("x", parent, "S", 0, 0.0) for number, parent in ((1, 0), (2, 1), (3, 2), (4, 1))}
    assert family(processes, [2, 99]) == {2, 3}
    assert os.getpid() in family(table(), [os.getppid()])


def test_weight() -> None:
    assert weight(0) == 1.0
    assert weight(5) == pytest.approx(335 / 1024, rel=0.01)


def test_a_busy_process_is_counted_unless_it_is_ours() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.5)
        own = weight(os.nice(0)) * 0.99
        assert wanting({os.getpid()}) >= own
        assert wanting(range(2**22)) == 0.0
        with Others(list) as others:
            time.sleep(0.1)
        assert others.mean >= 0.0
        assert table()[busy.pid].seconds > 0.0
    finally:
        busy.kill()
        busy.wait()
