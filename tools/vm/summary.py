"""What a test prints at its end: what failed comes first, then the steps with their durations."""

from collections.abc import Iterator, Sequence

from tools.vm.accelerator import Accelerator
from tools.vm.events import Step
from tools.vm.failure import Failure
from tools.vm.plan import Plan

_DEPTH = 2  # steps deeper than that only when they failed
_DETAILS = 60  # lines; log.html has all


def summary(plan: Plan, accelerator: Accelerator, steps: Sequence[Step], failure: Failure | None) -> Iterator[str]:
    """The lines."""
    if failure:
        yield from failure_lines(failure)
        yield ""
    kernels = ", ".join(f"{machine.name}: {machine.release}" for machine in plan.machines)
    yield f"{plan.name} ({kernels}; {accelerator.name}: {accelerator.reason})"
    for step in steps:
        if step.depth < _DEPTH or step.ok is False:
            yield step_line(step)
    if failure:
        yield ""
        yield f"FAILED: {failure.reason}"
    else:
        yield "passed"


def step_line(step: Step) -> str:
    """A line for a step: how long it took, and what it did."""
    mark = "" if step.ok else "  FAILED"
    machine = f"{step.machine}: " if step.machine else ""
    title = step.title.partition("\n")[0][:100]
    return f"{step.seconds:8.2f} s  {'  ' * step.depth}{machine}{title}{mark}"


def failure_lines(failure: Failure) -> Iterator[str]:
    """What went wrong, what shows it best first."""
    if failure.trace:
        yield f"--- the console of {failure.machine}"
        yield from failure.trace
        yield "---"
    if failure.details:
        lines = failure.details.splitlines()
        if len(lines) > _DETAILS:
            yield f"... {len(lines) - _DETAILS} lines before"
        yield from lines[-_DETAILS:]
    if failure.place:
        yield f"at {failure.place}"
    yield f"FAILED: {failure.reason}"
