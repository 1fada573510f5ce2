"""A VM test or an interactive machine as a child process, and what it leaves behind."""

import contextlib
import ctypes
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_GRACE = 5  # seconds
_PATIENCE = 120  # seconds: a machine boots in ten, if nothing else wants the processor


class Started:
    """The program under test, started in a terminal or without one.

    `program` is the variable that names it; `around` are the words of a program that starts it, and gets the
    folder for its outputs, too.
    """

    def __init__(
        self, folder: Path, terminal: bool, program: str = "PROGRAM", around: Sequence[str] = (), **environment: str
    ) -> None:
        # What it leaves without a parent becomes our child.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.temporary, self.outputs = folder / "tmp", folder / "out"
        for each in (self.temporary, self.outputs):
            each.mkdir()
        environment |= {"TEST_TMPDIR": str(self.temporary), "TEST_UNDECLARED_OUTPUTS_DIR": str(self.outputs)}
        ours, theirs = pty.openpty() if terminal else os.pipe()
        self._reading = ours
        self._seen = b""
        words = [os.path.abspath(os.environ[program])]
        self.process = subprocess.Popen(
            [*around, *words, str(self.outputs)] if around else words,
            env=dict(os.environ) | environment,
            stdin=theirs if terminal else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # A terminal signals who has it as the controlling one: the first that a session leader opens.
            preexec_fn=(lambda: os.close(os.open(os.ttyname(theirs), os.O_RDWR))) if terminal else None,
        )
        os.close(theirs)

    @property
    def output(self) -> str:
        """What it has printed since something was typed last."""
        return self._seen.decode(errors="replace")

    def expect(self, expression: str, after: str = "") -> str:
        """Type `after` and wait for output that matches from there on; returns the match."""
        if after:
            self._seen = b""
            os.write(self._reading, after.encode())
        until = time.monotonic() + _PATIENCE
        while not (match := re.search(expression, self.output)):
            assert time.monotonic() < until, f"no {expression!r} in: {self.output}"
            if select.select([self._reading], [], [], 1)[0]:
                with contextlib.suppress(OSError):  # what a terminal says once nobody has it open any more
                    self._seen += os.read(self._reading, 65536)
        return match[0]

    def wait(self) -> int:
        """Wait for the end, reading what is still printed; the exit code."""
        until = time.monotonic() + _PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < until, self.output
            if select.select([self._reading], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    self._seen += os.read(self._reading, 65536)
        return self.process.returncode

    def assert_nothing_left(self) -> None:
        """No process, and no file besides the outputs."""
        assert list(self.temporary.iterdir()) == []
        self.assert_no_process_left()

    def assert_no_process_left(self) -> None:
        """No process, a moment after the end."""
        until = time.monotonic() + _GRACE
        while (left := _children()) and time.monotonic() < until:
            time.sleep(0.1)
        assert left == []


def _children() -> list[str]:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return Path("/proc/self/task", str(os.getpid()), "children").read_text().split()


@contextlib.contextmanager
def started(
    folder: Path, terminal: bool, program: str = "PROGRAM", around: Sequence[str] = (), **environment: str
) -> Iterator[Started]:
    """Start it; whatever happens, it doesn't outlive the block."""
    one = Started(folder, terminal, program, around, **environment)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()
