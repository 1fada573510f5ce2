"""The checker finds fault with tests that don't fail as they should."""

import json
import os
from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.vm_test import check_failure

RESULT = {"verdict": "failed", "kind_of_failure": "panic", "reason": "vm: Kernel panic: fatal exception"}
WANTED = {"kind": "panic", "message": "^vm: .* panic", "section": "Traffic", "within": 5}
EVENTS = [
    {"t": 0.0, "kind": "start"},
    {"t": 1.0, "kind": "open", "id": 1, "what": "section", "title": "Load"},
    {"t": 9.0, "kind": "close", "id": 1, "ok": True},
    {"t": 9.0, "kind": "open", "id": 2, "what": "section", "title": "Traffic"},
    {"t": 10.0, "kind": "open", "id": 3, "what": "command", "title": "ping"},
    {"t": 12.0, "kind": "close", "id": 3, "ok": False},
    {"t": 12.0, "kind": "close", "id": 2, "ok": False},
    {"t": 12.5, "kind": "end"},
]


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("TEST_UNDECLARED_OUTPUTS_DIR", str(tmp_path / "out"))


def _check(folder: Path, lines: str, wanted: dict[str, object] | None = None) -> int:
    """Check a shell script in a test's place, which ends with 1 unless `lines` say otherwise."""
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{lines}\nexit 1\n")
    program.chmod(0o755)
    settings = folder / "settings.json"
    settings.write_text(json.dumps({"test": str(program), **WANTED, **(wanted or {})}))
    return check_failure.main([str(settings)])


def _write(result: dict[str, str]) -> str:
    lines = "\n".join(json.dumps(event) for event in EVENTS)
    outputs = "$TEST_UNDECLARED_OUTPUTS_DIR"
    return f"echo '{json.dumps(result)}' > {outputs}/result.json; echo '{lines}' > {outputs}/events.jsonl"


def test_a_failure_as_wanted(tmp_path: Path) -> None:
    assert _check(tmp_path, _write(RESULT)) == 0
    assert (tmp_path / "out/failed/result.json").exists()


@pytest.mark.parametrize(
    ("lines", "wanted", "message"),
    [
        ("true", {"kind": "crash"}, "unknown kind of failure 'crash'; choose one of: panic, oops, "),
        ("true", {}, "it left no result.json; its exit code is 1"),
        (_write(RESULT | {"verdict": "passed"}) + "; exit 0", {}, "verdict is 'passed', .*; its exit code is 0"),
        (_write(RESULT), {"kind": "oops"}, "its kind of failure is 'panic', expected 'oops'"),
        (_write(RESULT), {"message": "BUG"}, "its reason is 'vm: .*', expected one that matches 'BUG'"),
        (_write(RESULT), {"within": 2}, r"its last step took 2\.5 s to fail, expected at most 2"),
        (_write(RESULT), {"section": "Load"}, "it failed in the section 'Traffic', expected 'Load'"),
        (_write(RESULT) + "; touch $TEST_TMPDIR/rest", {}, "it left the file rest"),
    ],
)
def test_other_failures(tmp_path: Path, lines: str, wanted: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        _check(tmp_path, lines, wanted)


def test_a_process_that_is_left(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"it left the process \d+: sleep 60"):
        _check(tmp_path, _write(RESULT) + "; sleep 60 >/dev/null 2>&1 &")
    for child in Path("/proc/self/task", str(os.getpid()), "children").read_text().split():
        os.kill(int(child), 9)


def test_a_process_that_ends_soon_is_no_fault(tmp_path: Path) -> None:
    assert _check(tmp_path, _write(RESULT) + "; sleep 0.5 >/dev/null 2>&1 &") == 0


def test_the_time_is_that_of_the_innermost_step_that_failed_or_of_all() -> None:
    assert check_failure.seconds_to_fail(EVENTS) == 2.5
    assert check_failure.seconds_to_fail([*EVENTS[:5], EVENTS[-1]]) == 2.5, "a step that never ended"
    assert check_failure.seconds_to_fail([*EVENTS[:3], EVENTS[-1]]) == 12.5, "no step failed"


def test_the_section_is_the_innermost_that_failed() -> None:
    assert check_failure.failed_section(EVENTS) == "Traffic"
    inner = {"t": 9.5, "kind": "open", "id": 4, "what": "section", "title": "Of one tenant"}
    close = {"t": 12.0, "kind": "close", "id": 4, "ok": False}
    assert check_failure.failed_section([*EVENTS[:4], inner, *EVENTS[4:6], close, *EVENTS[6:]]) == "Of one tenant"
    assert check_failure.failed_section([*EVENTS[:4], EVENTS[-1]]) == "Traffic", "a section that never ended"
    assert check_failure.failed_section([*EVENTS[:3], EVENTS[-1]]) == "", "no section failed"
