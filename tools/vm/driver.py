"""Run a test in virtual machines, or give a person its machines.

    driver --plan PLAN [--out FOLDER]        the test; exit code 0 passed, 1 failed, 2 wrong usage
    driver --plan PLAN --prompt              a Python prompt with the machines as variables
    driver --plan PLAN --console             boot the one machine, load its modules, give its console

It leaves in FOLDER events.jsonl and serial-MACHINE.log, written as it goes, and at the end result.json,
log.html and junit.xml.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically
from tools.report.reports import write_reports
from tools.vm import interactive, user_network
from tools.vm.events import Step
from tools.vm.failure import Failure, TestStopped
from tools.vm.plan import Plan, read_plan
from tools.vm.result import result_of
from tools.vm.script import Source, place_of, run_script
from tools.vm.session import Session
from tools.vm.summary import step_line, summary

# Bazel's time-out counts from before the driver's start, and the report must be written before it ends.
_MARGIN = 6.0  # seconds


def deadline(plan: Plan, environment: Mapping[str, str]) -> float | None:
    """The seconds that a test may take: the plan's, or a little less than Bazel's."""
    limits = [plan.timeout] if plan.timeout else []
    if (text := environment.get("TEST_TIMEOUT", "")).isdigit():
        limits.append(max(int(text) - _MARGIN, int(text) / 2))
    return min(limits, default=None)


def _test(session: Session, source: Source | None, seconds: float | None) -> Failure | None:
    """Boot the machines and run the script; why it failed."""

    def late(number: int, frame: FrameType | None) -> None:
        limit = f"after {seconds:g} s" if number == signal.SIGALRM else "when it was asked to end"
        doing = session.events.current
        what = f", in: {doing.machine + ': ' if doing.machine else ''}{doing.title}" if doing else ""
        session.stopper.stop(Failure("timeout", f"the test wasn't done {limit}{what}"))

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, late)
    if seconds:
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        session.arm()
        session.start_all()
        failure = run_script(source, session.names()) if source else None
        session.disarm()
        return session.stopper.failure or failure
    except TestStopped as error:
        return replace(error.failure, place=place_of(source, error.__traceback__)) if source else error.failure
    finally:
        session.disarm()
        signal.setitimer(signal.ITIMER_REAL, 0)


def _report(session: Session, failure: Failure | None) -> Failure | None:
    """Write what the test leaves besides its events; the failure in the end, because a full disk is one, too."""
    events = session.events
    for step in reversed(events.steps):
        if step.ok is None:
            events.close(step, False, failure.reason if failure else "")
    events.add(
        "end",
        verdict="failed" if failure else "passed",
        reason=failure.reason if failure else "",
        kind_of_failure=failure.kind if failure else "",
        trace=list(failure.trace) if failure else [],
        machine=(failure.machine or None) if failure else None,
        place=failure.place if failure else "",
    )
    boot = next(iter(session.machines.values())).boot_seconds
    seconds = events.now()
    events.end()
    failure = failure or session.stopper.failure
    result = result_of(session.plan, session.accelerator, session.date, seconds, boot, session.facts, failure)
    path = session.out / "result.json"
    try:
        write_atomically(path, json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        write_reports(session.out / "events.jsonl", session.out)
    except UserError as error:
        if not failure:
            # It says that the test has passed.
            path.unlink(missing_ok=True)
            return Failure("disk", f"{error}; make room where the test's outputs go, and run it again")
        if failure.kind != "disk":
            print(f"error: {error}", file=sys.stderr)
    return failure


def run_test(plan: Plan, out: Path, environment: Mapping[str, str]) -> int:
    """Run the test and write its reports; the exit code."""
    source = Source(plan.script) if plan.script else None
    session = Session(plan, out, environment)
    try:
        failure = _test(session, source, deadline(plan, environment))
    finally:
        _close(session)
    failure = _report(session, failure)
    for line in summary(plan, session.accelerator, session.events.steps, failure):
        print(line)
    return 1 if failure else 0


def run_interactive(plan: Plan, out: Path, environment: Mapping[str, str], console: bool) -> int:
    """Give a person the machines; the exit code."""
    source = Source(plan.script) if plan.script else None

    def closed(step: Step) -> None:
        if not console:
            print(step_line(step), flush=True)

    def noticed(failure: Failure) -> None:
        print(f"\n{failure.reason}", file=sys.stderr, flush=True)

    options = environment.get(user_network.VARIABLE, "")
    user_network.check_ports(options)
    session = Session(plan, out, environment, options if options or console else None, closed, noticed)
    try:
        return interactive.console(session) if console else interactive.prompt(session, source)
    finally:
        _close(session)
        session.events.end()


def _end(number: int, frame: FrameType | None) -> None:
    # Python ignores what is raised in a finaliser or the like; run_in_root sends the signal again until the end.
    raise SystemExit(128 + number)


def _close(session: Session) -> None:
    """End the machines; who asks again doesn't interrupt it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    session.close()


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="driver", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("/out"))
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--prompt", action="store_true", help="a Python prompt instead of the test")
    mode.add_argument("--console", action="store_true", help="the console of the one machine instead of the test")
    options = parser.parse_args(arguments)
    # run_in_root starts its command with both ignored, as by all that is in between.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _end)
    plan = read_plan(options.plan)
    if options.prompt or options.console:
        return run_interactive(plan, options.out, os.environ, options.console)
    return run_test(plan, options.out, os.environ)


if __name__ == "__main__":
    run(main)
