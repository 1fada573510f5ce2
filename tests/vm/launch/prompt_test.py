"""`bazel run NAME.driver`: a Python prompt with the machines."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.vm.launch.started import started


def test_prompt(tmp_path: Path) -> None:
    with started(tmp_path, terminal=True) as program:
        program.expect(r"machines vm, off.*\n[\s\S]*>>> ")
        program.expect(r"boot [\s\S]*>>> ", after="vm.start()\n")
        program.expect(r"Linux \S+ \S+amd64 [\s\S]*>>> ", after="print(vm.succeed('uname -a'))\n")
        program.expect(r"FAILED[\s\S]*>>> ", after="vm.succeed('false')\n")
        # The script waits for a thousand seconds; Ctrl-C goes to the prompt, not to what is around it.
        program.expect(r"vm: true", after="run()\n")
        program.expect(r"KeyboardInterrupt: [\s\S]*>>> ", after="\x03")
        # The same for a command that is in the machine, which goes on to be of use.
        program.expect(r"sleep 1000'\)\r\n", after="vm.succeed('sleep 1000')\n")
        time.sleep(1)
        program.expect(r"KeyboardInterrupt: [\s\S]*>>> ", after="\x03")
        program.expect(r"no sleep[\s\S]*>>> ", after="print(vm.succeed('pidof sleep || echo no sl\"\"eep'))\n")
        program.expect(r"it has: succeed, fails, [^.]*shell\r\n[\s\S]*>>> ", after="vm.kil()\n")
        assert "driver.py" not in program.output and "machine.py" not in program.output
        program.expect("", after="\x04")
        assert program.wait() == 0
        program.assert_nothing_left()


@pytest.mark.parametrize("after", [0.05, 0.2, 0.35, 0.5, 0.8])
def test_prompt_that_is_ended_before_it_shows(after: float, tmp_path: Path) -> None:
    with started(tmp_path, terminal=True) as program:
        time.sleep(after)
        os.kill(program.process.pid, signal.SIGTERM)
        program.wait()
        program.assert_nothing_left()


def test_prompt_that_is_ended(tmp_path: Path) -> None:
    with started(tmp_path, terminal=True) as program:
        program.expect(r">>> ")
        os.kill(program.process.pid, signal.SIGTERM)
        program.wait()
        program.assert_nothing_left()
