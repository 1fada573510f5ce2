"""A whole run of the driver: its verdict, and what it leaves. The machine is a program in QEMU's place."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tools.lib.errors import UserError
from tools.vm import driver
from tools.vm.plan import Plan

ENVIRONMENT = {"VM_ACCEL": "tcg"}


def run(plan: Plan, tmp_path: Path, script: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    """Run this script; the exit code and result.json."""
    (tmp_path / "script.py").write_text(script)
    out = tmp_path / "out"
    out.mkdir()
    code = driver.run_test(replace(plan, **changes), out, ENVIRONMENT)
    assert {path.name for path in out.iterdir()} == {
        *("events.jsonl", "junit.xml", "log.html", "result.json", "serial-vm.log")
    }
    return code, json.loads((out / "result.json").read_text())


@pytest.mark.parametrize(
    ("own", "bazels", "seconds"),
    [
        (None, "", None),
        (20.0, "", 20.0),
        (None, "300", 294.0),
        (None, "8", 4.0),  # half of it, where a margin would leave next to nothing
        (20.0, "300", 20.0),
        (600.0, "300", 294.0),
        (None, "no number", None),
    ],
)
def test_how_long_a_test_may_take(own: float | None, bazels: str, seconds: float | None, plan: Plan) -> None:
    environment = {"TEST_TIMEOUT": bazels} if bazels else {}
    assert driver.deadline(replace(plan, timeout=own), environment) == seconds


def test_a_script_that_ends_has_passed(
    plan: Plan, tmp_path: Path, signals: None, capsys: pytest.CaptureFixture[str]
) -> None:
    script = 'with section("greet"):\n    assert vm.succeed("echo hello") == "hello\\n"\nrecord("size", 7)\n'
    code, result = run(plan, tmp_path, script)
    assert code == 0
    assert (result["verdict"], result["accel"], result["facts"]) == ("passed", "tcg", {"size": 7})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "//t:t (vm: 6.1.0-puppet; tcg: VM_ACCEL asks for it)"
    assert any(line.endswith(" s  greet") for line in printed) and printed[-1] == "passed"
    last = json.loads((tmp_path / "out/events.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["verdict"]) == ("end", "passed")


def test_a_false_assertion_fails_with_its_line(
    plan: Plan, tmp_path: Path, signals: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = run(plan, tmp_path, "x = 1\nassert x == 2\n")
    assert (code, result["verdict"], result["kind_of_failure"]) == (1, "failed", "assert")
    assert result["reason"] == "t/script.py:2: assert x == 2"
    assert capsys.readouterr().out.splitlines()[-1] == "FAILED: t/script.py:2: assert x == 2"


def test_a_machine_that_ends_stops_the_script_there(plan: Plan, tmp_path: Path, signals: None) -> None:
    code, result = run(plan, tmp_path, 'vm.succeed("true")\nvm.succeed("puppet: exit")\n')
    assert (code, result["kind_of_failure"]) == (1, "qemu")
    assert result["reason"] == "vm: QEMU ended with exit code 1: qemu: exit was asked for"
    last = json.loads((tmp_path / "out/events.jsonl").read_text().splitlines()[-1])
    assert last["place"] == 't/script.py:2: vm.succeed("puppet: exit")'


def test_a_script_without_end_is_ended_in_time(plan: Plan, tmp_path: Path, signals: None) -> None:
    script = 'with section("forever"):\n    while True:\n        pass\n'
    code, result = run(plan, tmp_path, script, timeout=4.0)
    assert (code, result["kind_of_failure"]) == (1, "timeout")
    assert result["reason"].startswith("the test wasn't done after 4 s")


def test_who_asks_for_the_end_gets_a_report(plan: Plan, tmp_path: Path, signals: None) -> None:
    script = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nwhile True:\n    pass\n"
    code, result = run(plan, tmp_path, script)
    assert (code, result["kind_of_failure"]) == (1, "timeout")
    assert result["reason"] == "the test wasn't done when it was asked to end"


def test_reports_that_cant_be_written_fail_the_test(
    plan: Plan, tmp_path: Path, signals: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script.py").write_text("pass\n")
    (tmp_path / "out/log.html").mkdir(parents=True)
    assert driver.run_test(plan, tmp_path / "out", ENVIRONMENT) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("FAILED: ") and "log.html: cannot write: " in last
    assert last.endswith("; make room where the test's outputs go, and run it again")
    assert not (tmp_path / "out/result.json").exists()


def test_a_plan_that_isnt_there(tmp_path: Path, signals: None) -> None:
    with pytest.raises(UserError, match=r"plan\.json: cannot read the plan: No such file"):
        driver.main(["--plan", str(tmp_path / "plan.json")])


def test_a_script_that_isnt_python_starts_no_machine(plan: Plan, tmp_path: Path, signals: None) -> None:
    (tmp_path / "script.py").write_text("if\n")
    with pytest.raises(UserError, match=r"^t/script\.py:1: "):
        driver.run_test(plan, tmp_path, ENVIRONMENT)
    assert not (tmp_path / "events.jsonl").exists()
