"""Run a VM test that must fail, and check that it fails as it should.

The settings are JSON, written by tests/private/vm_failure_test.bzl: {"test": PATH, "kind", "message",
"section": TITLE or "" for any, "within": SECONDS}, which is what the step that fails may take. The test's
own outputs stay below those of this test, in the folder `failed`. What it leaves besides them is an
error: files in its temporary folder, or processes.
"""

import contextlib
import ctypes
import json
import os
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.vm.failure import KINDS

# prctl(2): who loses its parent becomes this process's child.
_PR_SET_CHILD_SUBREAPER = 36
_GRACE = 2  # seconds


def differences(result: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    """What in a result.json isn't as expected; `message` is a regular expression for the reason."""
    if result["verdict"] != "failed":
        yield f"its verdict is '{result['verdict']}', expected 'failed'"
    if result["kind_of_failure"] != settings["kind"]:
        yield f"its kind of failure is '{result['kind_of_failure']}', expected '{settings['kind']}'"
    if not re.search(settings["message"], result["reason"]):
        yield f"its reason is '{result['reason']}', expected one that matches '{settings['message']}'"


def failed_steps(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """How the steps began that failed or never ended, the innermost last: their events `open`."""
    running: dict[int, Mapping[str, Any]] = {}
    failed = []
    for event in events:
        if event["kind"] == "open":
            running[event["id"]] = event
        elif event["kind"] == "close":
            begun = running.pop(event["id"])
            if not event["ok"]:
                failed.append(begun)
    return sorted([*failed, *running.values()], key=lambda event: event["t"])


def seconds_to_fail(events: Sequence[Mapping[str, Any]]) -> float:
    """From the beginning of what failed, the innermost step, to the verdict; the whole test if no step failed."""
    failed = failed_steps(events)
    return float(events[-1]["t"] - (failed[-1]["t"] if failed else 0.0))


def failed_section(events: Sequence[Mapping[str, Any]]) -> str:
    """The title of the innermost section that failed, or ""."""
    titles = [step["title"] for step in failed_steps(events) if step["what"] == "section"]
    return titles[-1] if titles else ""


def leftovers(temporary: Path) -> Iterator[str]:
    """What a test has left: files, and processes that had a parent no more and thus became ours."""
    for path in sorted(temporary.rglob("*")):
        yield f"it left the file {path.relative_to(temporary)}"
    # Who is killed with its parent may end a moment later.
    until = time.monotonic() + _GRACE
    while (children := _children()) and time.monotonic() < until:
        time.sleep(0.05)
    for child in children:
        command = Path("/proc", child, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        yield f"it left the process {child}: {command.strip()}"


def _children() -> list[str]:
    """The process numbers of our children that still run."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return Path("/proc/self/task", str(os.getpid()), "children").read_text().split()


def run_test(program: str, folder: Path, outputs: Path) -> tuple[int, str]:
    """Run the test as Bazel would; its exit code, and what it printed."""
    for each in (folder, outputs):
        each.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ) | {"TEST_TMPDIR": str(folder), "TEST_UNDECLARED_OUTPUTS_DIR": str(outputs)}
    environment.pop("XML_OUTPUT_FILE", None)
    done = subprocess.run(
        [program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def main(arguments: Sequence[str]) -> int:
    """The command line: the settings."""
    settings = json.loads(Path(arguments[0]).read_text())
    test, within = settings["test"], settings["within"]
    if settings["kind"] not in KINDS:
        raise UserError(f"{test}: unknown kind of failure '{settings['kind']}'; choose one of: {', '.join(KINDS)}")
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    folder = Path(os.environ["TEST_TMPDIR"], "failed")
    outputs = Path(os.environ["TEST_UNDECLARED_OUTPUTS_DIR"], "failed")
    code, output = run_test(os.path.abspath(test), folder, outputs)
    print(output, flush=True)
    if not (outputs / "result.json").exists():
        raise UserError(f"{test}: it left no result.json; its exit code is {code}")
    wrong = list(differences(json.loads((outputs / "result.json").read_text()), settings))
    if not code:
        wrong.append("its exit code is 0")
    events = [json.loads(line) for line in (outputs / "events.jsonl").read_text().splitlines()]
    if settings["section"] and (section := failed_section(events)) != settings["section"]:
        where = f"in the section '{section}'" if section else "outside of the sections"
        wrong.append(f"it failed {where}, expected '{settings['section']}'")
    if within and (seconds := seconds_to_fail(events)) > within:
        wrong.append(f"its last step took {seconds:.1f} s to fail, expected at most {within}")
    wrong += leftovers(folder)
    if wrong:
        raise UserError(f"{test}: it doesn't fail as it should: {'; '.join(wrong)}")
    return 0


if __name__ == "__main__":
    run(main)
