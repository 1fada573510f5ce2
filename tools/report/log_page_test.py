"""What log.html holds; how it looks and behaves is tested in a browser (tests/report)."""

import re
from pathlib import Path

import pytest

from tools.report import events, log_page
from tools.report.__main__ import main
from tools.report.events import read_run
from tools.report.log_page import log_html
from tools.report.testing_events import TRACE, Recorder, failing_run, passing_run
from tools.report.testing_html import checked


def _html(recorder: Recorder, folder: Path) -> str:
    return log_html(read_run(recorder.write(folder / "events.jsonl")), {"load_seconds": 0.1})


@pytest.mark.parametrize("recorder", [passing_run(), passing_run(("left", "right")), failing_run(), Recorder()])
def test_the_page_is_whole(recorder: Recorder, tmp_path: Path) -> None:
    html = _html(recorder, tmp_path)
    checked(html)
    assert "<dt>Load seconds</dt><dd>0.1</dd>" in html


def test_a_failure_comes_first_and_open(tmp_path: Path) -> None:
    html = _html(failing_run(), tmp_path)
    assert html.index('<p class="reason">BUG: kernel NULL') < html.index("<summary>Console ") < html.index("<main")
    assert "<code>tests/kernels/kernel.py:63: " in html
    assert html.index(TRACE[-1]) < html.index("<main")
    steps = html[html.index("<main") :]
    opened = re.findall(r'<li class="step (\w+) \w+" id="step-\d+"><details( open)?>', steps)
    assert {state for state, is_open in opened if is_open} == {"bad"}
    assert {state for state, is_open in opened if not is_open} == {"ok"}


def test_what_a_vm_prints_stays_text(tmp_path: Path) -> None:
    nasty = "</script></pre></style><img src=x onerror=alert(1)>\x1b[31mred\x1b[0m\x00 <!-- \" '"
    plain = _html(Recorder(), tmp_path)
    recorder = Recorder(name=nasty, machines=(nasty,))
    recorder.console(nasty, nasty, trouble=True)
    recorder.add("log", text=nasty, parent=None)
    with recorder.step(nasty, nasty, nasty, ok=False) as step:
        recorder.add("output", id=step, text=nasty)
    recorder.end("failed", reason=nasty, kind_of_failure=nasty, trace=[nasty], machine=nasty)
    checker = checked(_html(recorder, tmp_path))
    assert "img" not in checker.elements
    assert checker.elements.count("script") == checked(plain).elements.count("script") == 1


def test_long_outputs_are_cut_in_the_middle(tmp_path: Path) -> None:
    recorder = Recorder()
    for _ in range(3):
        with recorder.step("command", "cat big") as step:
            recorder.add("output", id=step, text="a line of a big file\n" * 20_000)
    html = _html(recorder, tmp_path)
    assert html.count("characters left out") == 3
    assert len(html) < 3 * 400_000


def test_a_reason_is_told_once(tmp_path: Path) -> None:
    recorder = Recorder()
    closing = {"message": "exit code 1", "details": "two\nlines"}
    with recorder.step("section", "outer", ok=False, **closing), recorder.step("command", "x", ok=False, **closing):
        pass
    recorder.end("failed", reason="vm: x: exit code 1", kind_of_failure="command")
    html = _html(recorder, tmp_path)
    assert html.count('<p class="message line">exit code 1</p>') == 1
    assert html.count("<pre class=details>") == 1


def test_whatever_is_long_is_cut(tmp_path: Path) -> None:
    long = "word " * 10_000
    recorder = Recorder()
    recorder.add("log", text=long, parent=None)
    with recorder.step("command", long, ok=False, message=long, details=long):
        recorder.console("vm", long)
    recorder.end("failed", reason=long, kind_of_failure="command", trace=[long] * 1000, place=long)
    html = _html(recorder, tmp_path)
    assert "[850 lines more below]" in html
    assert len(html) < 600_000


def test_more_machines_than_colours(tmp_path: Path) -> None:
    html = _html(passing_run(tuple(f"machine{number}" for number in range(9))), tmp_path)
    checked(html)
    assert "> machine0, machine6</label>" in html


def test_all_outputs_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_page, "_OUTPUTS_LIMIT", 150_000)
    recorder = Recorder()
    for _ in range(40):
        with recorder.step("command", "cat big") as step:
            recorder.add("output", id=step, text="x" * 90_000)
    assert len(_html(recorder, tmp_path)) < 400_000


def test_a_console_that_is_left_out_in_the_middle_says_where_the_whole_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "FIRST_LINES", 100)
    monkeypatch.setattr(events, "LAST_LINES", 100)
    recorder = Recorder()
    for number in range(1000):
        recorder.console("vm", f"line {number}")
    recorder.console("vm", "y" * 5000)
    html = _html(recorder, tmp_path)
    assert "801 lines left out; the whole is in serial-vm.log" in html
    assert "[3,015 characters left out]" in html


def test_the_command_line_writes_both_reports(tmp_path: Path) -> None:
    recorder = passing_run()
    recorder.write(tmp_path / "events.jsonl")
    (tmp_path / "result.json").write_text('{"facts": {"traffic": "passed"}}')
    assert main([str(tmp_path / "events.jsonl"), str(tmp_path)]) == 0
    assert "<dt>Traffic</dt>" in (tmp_path / "log.html").read_text()
    assert 'name="traffic" value="passed"' in (tmp_path / "junit.xml").read_text()


@pytest.mark.parametrize("content", ["{", "[]", '{"facts": 3}'])
def test_a_damaged_result_costs_only_its_facts(tmp_path: Path, content: str) -> None:
    passing_run().write(tmp_path / "events.jsonl")
    (tmp_path / "result.json").write_text(content)
    assert main([str(tmp_path / "events.jsonl"), str(tmp_path)]) == 0
