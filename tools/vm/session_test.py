"""The machines of a test together, and how a failure stops the script."""

import json
import threading
import time
from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.vm.failure import Failure, TestStopped
from tools.vm.session import Session

PANIC = Failure("panic", "vm: Kernel panic", "vm")
_LONG = 30.0  # seconds


def test_a_session_begins_with_what_runs_where(session: Session, tmp_path: Path) -> None:
    first = json.loads((tmp_path / "events.jsonl").read_text().splitlines()[0])
    assert (first["kind"], first["name"], first["accel"]) == ("start", "//t:t", "tcg")
    assert first["accel_reason"] == "VM_ACCEL asks for it"
    assert first["machines"] == [{"name": "vm", "release": "6.1.0-puppet", "line": "", "flavour": ""}]


def test_machines_that_are_off_are_started(session: Session) -> None:
    machine = session.machines["vm"]
    session.start_all()
    assert machine.succeed("echo one") == "one\n"
    session.start_all()  # it runs already
    machine.shutdown()
    session.start_all()
    assert machine.succeed("echo two") == "two\n"
    session.close()
    assert not machine.running


def test_what_a_script_can_use(session: Session) -> None:
    names = session.names()
    assert names["vm"] is session.machines["vm"]
    assert sorted(names) == ["__name__", "log", "machines", "record", "section", "start_all", "vm"]


def test_a_fact_must_be_json(session: Session) -> None:
    session.record("throughput", {"MB": 1.5})
    with pytest.raises(UserError, match=r"^record\('size', ...\): the value can't be written as JSON: .*set"):
        session.record("size", {1, 2})
    assert session.facts == {"throughput": {"MB": 1.5}}


def test_a_failure_stops_an_armed_script_in_what_it_does(session: Session, failures: list[Failure]) -> None:
    session.arm()
    threading.Timer(0.2, session.stopper.stop, [PANIC]).start()
    began = time.monotonic()
    with pytest.raises(TestStopped) as caught:
        time.sleep(_LONG)
    assert caught.value.failure is PANIC and time.monotonic() - began < _LONG / 2
    assert not failures


def test_a_failure_is_kept_for_who_isnt_armed(session: Session, failures: list[Failure]) -> None:
    session.stopper.stop(PANIC)
    assert failures == [PANIC] and session.stopper.failure is PANIC
    session.arm()
    assert session.stopper.failure is None
