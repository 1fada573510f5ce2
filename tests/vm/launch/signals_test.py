"""Who ends a VM test gets its report, and nothing of it stays."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vm.launch.started import Started, started


def _wait_for_machine(program: Started) -> None:
    """Wait until the machine is switched on, which is after all that could miss a signal."""
    events = program.outputs / "events.jsonl"
    while not (events.exists() and '"boot"' in events.read_text()):
        assert program.process.poll() is None
        time.sleep(0.1)


@pytest.mark.parametrize("kill", [os.kill, os.killpg], ids=["process", "group"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_a_test_that_is_ended_reports(kill: Callable[[int, int], None], number: int, tmp_path: Path) -> None:
    with started(tmp_path, terminal=False, XML_OUTPUT_FILE=str(tmp_path / "test.xml")) as program:
        _wait_for_machine(program)
        kill(program.process.pid, number)
        assert program.wait() == 1
        program.assert_nothing_left()
    result = json.loads((program.outputs / "result.json").read_text())
    assert (result["verdict"], result["kind_of_failure"]) == ("failed", "timeout")
    assert "asked to end" in result["reason"]
    assert (program.outputs / "log.html").exists()
    assert "<testsuite" in (tmp_path / "test.xml").read_text()


def test_a_test_that_is_killed_takes_its_machines_with_it(tmp_path: Path) -> None:
    with started(tmp_path, terminal=False) as program:
        _wait_for_machine(program)
        program.process.kill()
        program.wait()
        program.assert_no_process_left()
