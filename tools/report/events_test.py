"""Events become a tree of steps, also when the driver was killed or the console was flooded."""

from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.report import events
from tools.report.events import KILLED, Console, Note, Output, read_run, walk
from tools.report.testing_events import TRACE, Recorder, failing_run, passing_run


def test_steps_are_nested_with_what_happened_in_them(tmp_path: Path) -> None:
    run = read_run(passing_run(("left", "right")).write(tmp_path / "events.jsonl"))
    assert run.passed
    assert run.machines == {"left": "6.1.0-56-amd64", "right": "6.1.0-56-amd64"}
    traffic = next(step for step in run.root.steps if step.title == "Traffic")
    assert [step.title for step in traffic.steps] == ["Inside each tenant", "None between them"]
    ping = traffic.steps[0].steps[1]
    assert (ping.machine, ping.what) == ("right", "command")
    assert isinstance(ping.items[0], Output)
    assert any(isinstance(item, Note) for item in run.root.items)
    assert run.failing() == []


def test_console_lines_are_in_the_step_that_was_open(tmp_path: Path) -> None:
    run = read_run(passing_run().write(tmp_path / "events.jsonl"))
    boot = run.root.steps[0]
    assert isinstance(boot.items[0], Console)
    assert len(boot.items[0].first) == 62
    assert run.boot_seconds() == pytest.approx(boot.seconds)


def test_machines_that_boot_at_once_have_their_own_lines(tmp_path: Path) -> None:
    recorder = Recorder(machines=("left", "right"))
    for number, machine in enumerate(("left", "right"), 1):
        recorder.add("open", id=number, parent=None, machine=machine, what="boot", title="")
    for machine in ("left", "right", "left"):
        recorder.console(machine, "booting")
    run = read_run(recorder.write(tmp_path / "events.jsonl"))
    lines = [[line.machine for line in step.items[0].first] for step in run.root.steps]  # type: ignore[union-attr]
    assert lines == [["left", "left"], ["right"]]


def test_a_line_of_another_machine_is_in_the_command_that_brought_it_about(tmp_path: Path) -> None:
    recorder = Recorder(machines=("left", "right"))
    with recorder.step("section", "tunnel"), recorder.step("command", "ping", "left"):
        recorder.console("right", "BUG")
    run = read_run(recorder.write(tmp_path / "events.jsonl"))
    assert isinstance(run.root.steps[0].steps[0].items[0], Console)


def test_the_innermost_step_that_failed_is_found(tmp_path: Path) -> None:
    run = read_run(failing_run().write(tmp_path / "events.jsonl"))
    assert [step.what for step in run.failing()] == ["section", "section", "command"]
    assert (run.kind_of_failure, len(run.trace), run.trace_machine) == ("oops", len(TRACE), "vm")


def test_a_failure_that_the_script_coped_with_is_not_the_one() -> None:
    recorder = Recorder()
    with recorder.step("command", "the first attempt", ok=False):
        pass
    with recorder.step("command", "the last attempt", ok=False):
        pass
    recorder.end("failed", reason="no", kind_of_failure="command")
    reader = events._Reader()
    for event in recorder.events:
        reader.take(event)
    assert [step.title for step in reader.finish().failing()] == ["the last attempt"]


def test_a_killed_driver_leaves_half_a_line_and_open_steps(tmp_path: Path) -> None:
    path = failing_run().write(tmp_path / "events.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-4]) + lines[-4][:20])
    run = read_run(path)
    assert (run.verdict, run.reason) == ("failed", KILLED)
    assert [step.ok for step in run.failing()] == [None, None, None]
    assert all(step.end >= step.start for step in walk(run.root))


def test_no_events_at_all(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("")
    assert read_run(path).reason == KILLED


def test_unknown_kinds_are_passed_over(tmp_path: Path) -> None:
    recorder = Recorder()
    recorder.add("screenshot", file="x.png")
    recorder.end()
    assert read_run(recorder.write(tmp_path / "events.jsonl")).passed


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"kind": "log"}', '{"t": 1, "kind": "close", "id": 9, "ok": 1}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = Recorder().write(tmp_path / "events.jsonl")
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(UserError, match=r"events\.jsonl:2: not an event of a VM test"):
        read_run(path)


def test_missing_events_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.jsonl: cannot read the events: No such file"):
        read_run(tmp_path / "none.jsonl")


def test_a_flood_keeps_its_beginning_and_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "FIRST_LINES", 10)
    monkeypatch.setattr(events, "LAST_LINES", 20)
    recorder = Recorder()
    for number in range(50):
        recorder.console("vm", f"early {number}")
    recorder.add("log", text="between", parent=None)
    for number in range(50):
        recorder.console("vm", f"late {number}")
    early, _, late = read_run(recorder.write(tmp_path / "events.jsonl")).root.items
    assert isinstance(early, Console)
    assert isinstance(late, Console)
    assert (len(early.first), early.left_out, len(early.last)) == (10, 40, 0)
    assert (len(late.first), late.left_out, len(late.last)) == (0, 30, 20)
    assert late.last[-1].text.endswith("late 49")
