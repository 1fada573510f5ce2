"""The kinds of failure, and how a script meets one."""

import ast
from pathlib import Path

import pytest

from tools.vm import console
from tools.vm.failure import KINDS, Failure, TestFailed, TestStopped


def kinds_that_are_made() -> set[str]:
    """The kinds that the driver's own files give to failures by name."""
    trees = [ast.parse(path.read_text()) for path in Path(console.__file__).parent.glob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    names = {call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Failure"}
    return {str(name.value) for name in names if isinstance(name, ast.Constant)}


def test_each_kind_that_is_made_has_a_meaning() -> None:
    made = kinds_that_are_made()
    assert {"assert", "boot", "disk", "flood", "qemu", "reboot", "script", "silent", "timeout"} <= made
    assert made <= set(KINDS)
    assert all(KINDS.values())


def test_a_script_may_catch_what_a_call_fails_with() -> None:
    failure = Failure("command", "vm: `false` ended with exit code 1", "vm")
    with pytest.raises(Exception, match="^vm: `false` ended with exit code 1$") as caught:
        raise TestFailed(failure)
    assert isinstance(caught.value, TestFailed) and caught.value.failure is failure


def test_a_script_cant_catch_what_ends_it() -> None:
    assert not issubclass(TestStopped, Exception)
    stopped = TestStopped(Failure("panic", "vm: Kernel panic", "vm"))
    assert str(stopped) == "vm: Kernel panic" and stopped.failure.kind == "panic"
