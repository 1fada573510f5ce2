"""JUnit XML has what its readers look for."""

from pathlib import Path
from xml.etree import ElementTree

from tools.report.events import Run, read_run
from tools.report.junit import junit_xml
from tools.report.testing_events import TRACE, Recorder, failing_run, passing_run


def _suite(recorder: Recorder, folder: Path, **facts: object) -> ElementTree.Element:
    run = read_run(recorder.write(folder / "events.jsonl"))
    suites = ElementTree.fromstring(junit_xml(run, facts))
    assert suites.tag == "testsuites"
    (suite,) = suites
    assert [child.tag for child in suite] == ["properties"] + ["testcase"] * int(suite.get("tests", ""))
    return suite


def test_a_case_for_each_top_level_step(tmp_path: Path) -> None:
    suite = _suite(passing_run(), tmp_path, load_seconds=0.12, missing=None)
    assert suite.attrib | {"time": ""} == {
        "name": "//tests/kernels:6.1.0-56-amd64",
        "tests": "6",
        "failures": "0",
        "errors": "0",
        "skipped": "0",
        "time": "",
        "timestamp": "2026-11-21T10:00:00",
    }
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names == ["boot 6.1.0-56-amd64", "The module loads", "Two tenants with overlapping addresses", "Traffic",
                     "until it succeeds: vr drops --json | grep -q no_route", "shut down"]  # fmt: skip
    assert {case.get("classname") for case in suite.iter("testcase")} == {"tests.kernels.6.1.0-56-amd64"}
    properties = {entry.get("name"): entry.get("value") for entry in suite.iter("property")}
    assert properties["kernel.vm"] == "6.1.0-56-amd64"
    assert properties["load_seconds"] == "0.12"
    assert properties["boot_seconds"] == "3.722"
    assert "missing" not in properties


def test_no_two_cases_have_one_name(tmp_path: Path) -> None:
    recorder = Recorder(machines=("left", "right"))
    for machine in ("left", "right", "left"):
        recorder.boot(machine)
    names = [case.get("name") for case in _suite(recorder, tmp_path).iter("testcase")][:3]
    assert names == ["boot 6.1.0-56-amd64 left", "boot 6.1.0-56-amd64 right", "boot 6.1.0-56-amd64 left (2)"]


def test_the_failure_has_reason_step_output_and_trace(tmp_path: Path) -> None:
    suite = _suite(failing_run(), tmp_path)
    assert suite.get("failures") == "1"
    (case,) = (case for case in suite.iter("testcase") if len(case))
    assert case.get("name") == "Traffic"
    failure = case[0]
    assert (failure.tag, failure.get("type"), failure.get("message")) == ("failure", "oops", TRACE[0])
    text = failure.text or ""
    assert "in step: Traffic > Inside each tenant > ip netns exec a ping -c1 -W1 10.0.1.2" in text
    assert "PING 10.0.1.2" in text
    assert TRACE[-1] in text


def test_a_failure_outside_of_any_step_has_a_case_of_its_own(tmp_path: Path) -> None:
    recorder = passing_run()
    recorder.events.pop()
    recorder.end("failed", reason="x.py:3: invalid syntax", kind_of_failure="script")
    *_, case = _suite(recorder, tmp_path).iter("testcase")
    assert case.get("name") == "//tests/kernels:6.1.0-56-amd64"
    assert case[0].get("message") == "x.py:3: invalid syntax"


def test_a_driver_killed_at_once_is_a_failure() -> None:
    suites = ElementTree.fromstring(junit_xml(Run(), {}))
    assert suites.get("failures") == "1"


def test_what_xml_forbids_is_gone_and_long_texts_are_cut(tmp_path: Path) -> None:
    recorder = Recorder()
    with recorder.step("command", "printf '\x01'", ok=False) as step:
        recorder.add("output", id=step, text="]]> \x00 \x1b[1m \ufffe" + "x" * 100_000)
    recorder.end("failed", reason="exit \x02", kind_of_failure="command")
    (failure,) = _suite(recorder, tmp_path).iter("failure")
    assert failure.get("message") == "exit \u2402"
    assert "]]> \u2400" in (failure.text or "")
    assert "characters left out]" in (failure.text or "")
    assert len(failure.text or "") < 25_000
