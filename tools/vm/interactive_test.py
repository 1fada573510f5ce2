"""The prompt over a test's machines, and the console of one, as a person meets them."""

import io
from pathlib import Path

import pytest

from tools.vm import interactive
from tools.vm.plan import Plan
from tools.vm.script import Source
from tools.vm.session import Session

SCRIPT = 'assert vm.succeed("echo from the script") == "from the script\\n"\n'


@pytest.fixture
def source(plan: Plan, tmp_path: Path) -> Source:
    """The session's script."""
    (tmp_path / "script.py").write_text(SCRIPT)
    assert plan.script
    return Source(plan.script)


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """What the person types, and then Ctrl-D."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_a_prompt_has_what_scripts_have(
    session: Session, source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "start_all()", "vm.succeed('echo hello')", "run()")
    assert interactive.prompt(session, source) == 0
    said = capsys.readouterr()
    assert "//t:t: machines vm, off; tcg: VM_ACCEL asks for it" in said.err
    assert "runs the script t/script.py" in said.err
    assert "'hello\\n'" in said.out
    assert f"{SCRIPT}\npassed\n" in said.out


def test_a_prompt_says_in_a_line_what_a_call_failed_with(
    session: Session, source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["vm.succeed('true')", "start_all()", "vm.succeed('exit 3')", "record('x', set())", "vm.run('true')"]
    typed(monkeypatch, *lines, "vm.succeed('puppet: exit')", "vm.running")
    assert interactive.prompt(session, source) == 0
    said = capsys.readouterr()
    assert "FAILED: vm: it isn't running; call vm.start()\n" in said.err
    assert "FAILED: vm: `exit 3` ended with exit code 3, and printed nothing\n" in said.err
    assert "error: record('x', ...): the value can't be written as JSON: " in said.err
    assert "AttributeError: the machine 'vm' has no 'run'; it has: " in said.err
    assert "FAILED: vm: QEMU ended with exit code 1: qemu: exit was asked for\n" in said.err
    assert "False\n" in said.out
    assert "Traceback" not in said.err


def test_a_mistake_of_the_persons_has_its_traceback(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "1 / 0", "run()")
    assert interactive.prompt(session, None) == 0
    said = capsys.readouterr().err
    assert "Traceback (most recent call last):" in said and "ZeroDivisionError: division by zero\n" in said
    assert "error: this test has no script\n" in said


def test_a_console_of_a_machine_whose_module_doesnt_load(session: Session, capfd: pytest.CaptureFixture[str]) -> None:
    """There is no /modules/vrouter.ko where the puppet's commands run."""
    assert interactive.console(session) == 1
    said = capfd.readouterr()
    assert said.out.startswith("vm: tcg: VM_ACCEL asks for it; Ctrl-A x ends it")
    assert "Linux version 6.1.0-puppet" in said.out
    assert "FAILED: vm: `insmod vrouter.ko` ended with exit code " in said.err
