"""Why a test fails: one value, made where it is found and reported at the end."""

from dataclasses import dataclass

# Every kind of failure, with what it means. The report and the tests of broken machines use these names.
KINDS = {
    "panic": "the kernel panicked",
    "oops": "the kernel caught a fault of its own: a bad access, a BUG",
    "warning": "the kernel warned about itself: WARN, a sanitizer's report, no memory left",
    "lockdep": "the kernel's lock checker reported something",
    "rcu-stall": "RCU readers didn't end",
    "lockup": "a processor ran in the kernel without end",
    "hung-task": "a task waited in the kernel for too long",
    "silent": "the machine answered no more",
    "flood": "the console printed without end",
    "boot": "a machine didn't get as far as taking commands",
    "qemu": "QEMU ended, or couldn't start",
    "reboot": "a machine restarted or switched itself off",
    "command": "a command didn't do what the script asked for",
    "assert": "an assertion of the script is false",
    "script": "the script is wrong: it can't be run, or raised an exception",
    "timeout": "the test took too long",
    "disk": "the outputs can't be written",
}


@dataclass(frozen=True)
class Failure:
    """What went wrong.

    kind: one of KINDS. reason: one line. machine: its name, or "". trace: lines of its console.
    details: more lines, such as what a command printed. place: `FILE:LINE: text` in the script.
    """

    kind: str
    reason: str
    machine: str = ""
    trace: tuple[str, ...] = ()
    details: str = ""
    place: str = ""


class TestFailed(Exception):
    """What a call of the script's API raises when it can't do what it was asked for.

    A script may catch it, as it may catch any exception.
    """

    __test__ = False  # No class of tests, whatever pytest makes of its name.

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class TestStopped(BaseException):
    """Ends the script, in the middle of whatever it does; not for a script to catch."""

    __test__ = False

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure
