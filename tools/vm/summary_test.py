"""What a test prints at its end."""

from tools.vm.accelerator import Accelerator
from tools.vm.events import Step
from tools.vm.failure import Failure
from tools.vm.plan import MachinePlan, Plan
from tools.vm.summary import failure_lines, step_line, summary

PLAN = Plan("//t:t", (MachinePlan("vm", "6.1.0-1-amd64", "/k", (), line="6.1", flavour="amd64"),))
TCG = Accelerator("tcg", "there is no /dev/kvm")
STEPS = [
    Step(1, None, 0, None, "section", "outer", 0.0, 2.0, True),
    Step(2, 1, 1, "vm", "command", "first\nsecond line", 0.0, 1.25, True),
    Step(3, 2, 2, "vm", "command", "deep", 0.0, 1.0, True),
    Step(4, 2, 2, "vm", "command", "deep and bad", 0.0, 1.0, False),
]


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


def test_all_machines_and_their_kernels_are_named() -> None:
    machines = tuple(MachinePlan(name, f"{line}.0-1-amd64", "/k", ()) for name, line in (("a", "5.10"), ("b", "7.3")))
    assert list(summary(Plan("//t:t", machines), TCG, [], None)) == [
        "//t:t (a: 5.10.0-1-amd64, b: 7.3.0-1-amd64; tcg: there is no /dev/kvm)",
        "passed",
    ]


def test_a_step_is_one_line_that_isnt_too_long() -> None:
    step = Step(1, None, 0, "vm", "command", "x" * 300, 0.0, 0.5, True)
    assert step_line(step) == f"    0.50 s  vm: {'x' * 100}"


def test_a_failure_without_more_is_one_line() -> None:
    assert list(failure_lines(Failure("qemu", "vm: QEMU was killed by SIGKILL", "vm"))) == [
        "FAILED: vm: QEMU was killed by SIGKILL"
    ]
