"""result.json, and what a test prints."""

from tools.vm.accelerator import Accelerator
from tools.vm.events import Step
from tools.vm.failure import Failure
from tools.vm.plan import MachinePlan, Plan
from tools.vm.result import result_of
from tools.vm.summary import summary

PLAN = Plan("//t:t", (MachinePlan("vm", "6.1.0-1-amd64", "/k", (), line="6.1", flavour="amd64"),))
TCG = Accelerator("tcg", "there is no /dev/kvm")
STEPS = [
    Step(1, None, 0, None, "section", "outer", 0.0, 2.0, True),
    Step(2, 1, 1, "vm", "command", "first\nsecond line", 0.0, 1.25, True),
    Step(3, 2, 2, "vm", "command", "deep", 0.0, 1.0, True),
    Step(4, 2, 2, "vm", "command", "deep and bad", 0.0, 1.0, False),
]


def test_a_result_says_what_came_of_the_test() -> None:
    result = result_of(PLAN, TCG, "2026-11-21T10:00:00Z", 3.00049, 1.5, {"size": 7}, None)
    assert result == {
        "schema": 1,
        "name": "//t:t",
        "verdict": "passed",
        "reason": "",
        "kind_of_failure": "",
        "accel": "tcg",
        "accel_reason": "there is no /dev/kvm",
        "date": "2026-11-21T10:00:00Z",
        "seconds": 3.0,
        "boot_seconds": 1.5,
        "machines": [{"name": "vm", "release": "6.1.0-1-amd64", "line": "6.1", "flavour": "amd64"}],
        "facts": {"size": 7},
    }
    failed = result_of(PLAN, TCG, "", 1.0, None, {}, Failure("oops", "vm: BUG: x"))
    assert (failed["verdict"], failed["kind_of_failure"], failed["reason"]) == ("failed", "oops", "vm: BUG: x")


def test_a_passed_test_prints_its_steps() -> None:
    assert list(summary(PLAN, TCG, STEPS[:3], None)) == [
        "//t:t (vm: 6.1.0-1-amd64; tcg: there is no /dev/kvm)",
        "    2.00 s  outer",
        "    1.25 s    vm: first",
        "passed",
    ]


def test_a_failed_test_prints_first_what_shows_it_best() -> None:
    failure = Failure("oops", "vm: BUG: x", "vm", ("BUG: x", "Call Trace:"), "what it printed", "t.py:3: vm.insmod()")
    lines = list(summary(PLAN, TCG, STEPS, failure))
    assert lines[:7] == [
        "--- the console of vm",
        "BUG: x",
        "Call Trace:",
        "---",
        "what it printed",
        "at t.py:3: vm.insmod()",
        "FAILED: vm: BUG: x",
    ]
    assert "    1.00 s      vm: deep and bad  FAILED" in lines
    assert not any(line.endswith("deep") for line in lines)


def test_long_details_are_cut_at_the_front() -> None:
    failure = Failure("command", "no", details="\n".join(f"line {number}" for number in range(100)))
    lines = list(summary(PLAN, TCG, [], failure))
    assert lines[0] == "... 40 lines before" and lines[60] == "line 99"
