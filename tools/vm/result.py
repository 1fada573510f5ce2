"""result.json: what came of a test, for pages over many of them.

    {"schema": 1, "name", "verdict": "passed" | "failed", "reason", "kind_of_failure", "accel", "accel_reason",
     "date", "seconds", "boot_seconds": of the first machine, or null,
     "machines": [{"name", "release", "line", "flavour"}], "facts": {NAME: anything}}
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tools.vm.accelerator import Accelerator
from tools.vm.failure import Failure
from tools.vm.plan import MachinePlan, Plan

SCHEMA = 1


def machine_facts(machines: Sequence[MachinePlan]) -> list[dict[str, str]]:
    """What a result and the first event say of the machines."""
    return [{name: getattr(machine, name) for name in ("name", "release", "line", "flavour")} for machine in machines]


def result_of(
    plan: Plan,
    accelerator: Accelerator,
    date: str,
    seconds: float,
    boot_seconds: float | None,
    facts: Mapping[str, Any],
    failure: Failure | None,
) -> dict[str, Any]:
    """The content of result.json; `facts` come from the plan and from the script."""
    return {
        "schema": SCHEMA,
        "name": plan.name,
        "verdict": "failed" if failure else "passed",
        "reason": failure.reason if failure else "",
        "kind_of_failure": failure.kind if failure else "",
        "accel": accelerator.name,
        "accel_reason": accelerator.reason,
        "date": date,
        "seconds": round(seconds, 3),
        "boot_seconds": None if boot_seconds is None else round(boot_seconds, 3),
        "machines": machine_facts(plan.machines),
        "facts": dict(facts),
    }
