"""The commands of one run of a machine: one after the other, killed when they take too long."""

import threading
from typing import NoReturn

from tools.vm.agent import Answer, Requests
from tools.vm.failure import Failure, TestFailed
from tools.vm.running import Running
from tools.vm.transcript import Transcript

_KILL_WAIT = 3.0  # seconds that a killed command has to end
_REPORT_WAIT = 1.0  # seconds that the kernel has to list what waits in it


class Commands:
    """Raises TestFailed for what the machine can't do now, TestStopped if it ends meanwhile."""

    def __init__(self, machine: str, run: Running, transcript: Transcript) -> None:
        self._machine = machine
        self._run = run
        self._transcript = transcript
        self._requests = Requests()
        self._one = threading.Lock()

    def run(self, command: str, timeout: float | None) -> tuple[Answer, bool]:
        """Run a shell command: its answer, and whether it took longer than `timeout` and was killed."""
        run = self._run
        with self._one, run.changed:
            if run.ready is None:
                raise self._wrong("it isn't booted yet; wait for that with start()")
            self._end_abandoned()
            request, run.answer = self._requests.request(command)
            answer = run.answer
            run.commands.send(request)
            try:
                late = not run.wait(lambda: answer.code is not None, timeout) and not run.over
                if late and not self._end(answer):
                    self._cannot_be_killed()
            except KeyboardInterrupt:
                # A person at the prompt wants to go on with this machine.
                self._end(answer)
                raise
            if run.over:
                run.gone()
            self._done(answer)
        return answer, late

    def _done(self, answer: Answer) -> None:
        self._run.answer = None
        self._requests.answered(answer)

    def _end(self, answer: Answer) -> bool:
        """Kill a command; whether it has ended, or the machine has."""
        run = self._run
        if run.wait(lambda: answer.pid is not None, _KILL_WAIT) and answer.code is None:
            run.control.send(f"kill {answer.pid}\n".encode())
        return run.wait(lambda: answer.code is not None, _KILL_WAIT) or run.over

    def _end_abandoned(self) -> None:
        """Clear away a command that a person has interrupted."""
        if answer := self._run.answer:
            if not self._end(answer):
                raise self._wrong("the command that was interrupted can't be killed; crash() and start() the machine")
            self._done(answer)

    def _cannot_be_killed(self) -> NoReturn:
        """Have the kernel say where the command waits in it."""
        before = len(self._transcript.lines)
        self._run.control.send(b"blocked\n")
        self._run.wait(lambda: False, _REPORT_WAIT)
        trace = tuple(self._transcript.lines[before:])
        self._run.give_up(Failure("hung-task", f"{self._machine}: a command can't be killed", self._machine, trace))

    def _wrong(self, reason: str) -> TestFailed:
        return TestFailed(Failure("script", f"{self._machine}: {reason}", self._machine))
