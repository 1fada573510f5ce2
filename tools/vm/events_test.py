"""What is written about a test as it runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.vm.events import EventLog, Step
from tools.vm.failure import Failure, TestFailed


class Clock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "events.jsonl", Clock())


def written(tmp_path: Path) -> list[dict[str, Any]]:
    """The events, without their times."""
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["t"] for event in events] == sorted(event.pop("t") for event in events)
    return events


def test_an_event_is_in_the_file_at_once(tmp_path: Path, log: EventLog) -> None:
    log.add("console", machine="vm", text="a\udcffb", trouble=False)
    assert written(tmp_path) == [{"kind": "console", "machine": "vm", "text": "a?b", "trouble": False}]


def test_steps_are_nested(tmp_path: Path, log: EventLog) -> None:
    with log.step("section", "outer"):
        log.log("hello")
        with log.step("command", "true", "vm"):
            pass
    events = written(tmp_path)
    assert [(event["kind"], event.get("id"), event.get("parent")) for event in events] == [
        ("open", 1, None), ("log", None, 1), ("open", 2, 1), ("close", 2, None), ("close", 1, None),
    ]  # fmt: skip
    assert [(step.depth, step.ok) for step in log.steps] == [(0, True), (1, True)]
    assert log.current is None


def test_what_is_raised_ends_all_steps_around_it(tmp_path: Path, log: EventLog) -> None:
    failure = Failure("command", "vm: it failed", details="more\nlines")
    with pytest.raises(TestFailed), log.step("section", "outer"), log.step("command", "x", "vm"):
        raise TestFailed(failure)
    closed = [event for event in written(tmp_path) if event["kind"] == "close"]
    assert closed == [
        {"kind": "close", "id": 2, "ok": False, "message": "vm: it failed", "details": "more\nlines"},
        {"kind": "close", "id": 1, "ok": False, "message": "vm: it failed", "details": "more\nlines"},
    ]


def test_steps_of_the_loop_are_told_where_they_belong(tmp_path: Path, log: EventLog) -> None:
    ended: list[Step] = []
    log = EventLog(tmp_path / "events.jsonl", Clock(), ended.append)
    with log.step("section", "outer"):
        boot = log.open("boot", "boot", "vm", log.current)
    log.close(boot, False, "no")
    assert [(step.title, step.ok) for step in ended] == [("outer", True), ("boot", False)]
    assert boot.parent == 1 and boot.seconds > 0


def test_nothing_is_written_after_the_end(tmp_path: Path, log: EventLog) -> None:
    log.end()
    log.add("log", text="late")
    assert written(tmp_path) == []
