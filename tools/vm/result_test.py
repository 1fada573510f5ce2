"""result.json."""

from tools.vm.accelerator import Accelerator
from tools.vm.failure import Failure
from tools.vm.plan import MachinePlan, Plan
from tools.vm.result import result_of

PLAN = Plan("//t:t", (MachinePlan("vm", "6.1.0-1-amd64", "/k", (), line="6.1", flavour="amd64"),))
TCG = Accelerator("tcg", "there is no /dev/kvm")


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
