"""The rows of the matrix: what came of each kernel, from Bazel's output folders and the matrix before.

matrix.json is {"schema": 1, "date": ISO 8601, "counts": {STATE: NUMBER}, "kernels": [the fields of Row]}.
"""

import datetime
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from tools.kernels.catalogue import Kernel
from tools.lib.errors import UserError

SCHEMA = 1
STATES = ("green", "red", "yellow", "grey")
# Where //tests/kernels leaves things, below bazel-testlogs; `{}` is the kernel's release.
LOGS = "tests/kernels/{}"
TESTS = "//tests/kernels"
NOT_TESTABLE = "not testable"


@dataclass(frozen=True)
class Row:
    """One kernel.

    state: green (passed), red (its module doesn't build, or its test failed), yellow (can't be
        tested: packages are gone), grey (not run since its module was built).
    note: one line that says why it isn't green.
    built: "yes", "no", "failed" or "missing" (its headers are gone from the mirrors).
    module_size: in bytes. load_seconds: insmod. boot_seconds: QEMU's start until the guest answers.
    seconds: the whole test. traffic: "passed", "failed", NOT_TESTABLE or "not run".
    date: when the test ran, ISO 8601. log: the page of the run, relative to the matrix; "" for none.
    red_since: the first run of those that were red since the last green one; "" if it isn't red.
    last_green: the last run that was green, as far as the history goes.
    """

    release: str
    line: str
    flavour: str
    state: str
    note: str = ""
    built: str = "no"
    module_size: int | None = None
    load_seconds: float | None = None
    boot_seconds: float | None = None
    seconds: float | None = None
    traffic: str = "not run"
    date: str = ""
    log: str = ""
    red_since: str = ""
    last_green: str = ""


@dataclass(frozen=True)
class Places:
    """Where things are: Bazel's two output folders, and the matrix itself."""

    bin: Path
    testlogs: Path
    out: Path

    def logs(self, release: str) -> Path:
        """The folder of the last test of a kernel."""
        return self.testlogs / LOGS.format(release)

    def results(self, release: str) -> Path:
        """What the driver left there."""
        return self.logs(release) / "test.outputs"


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows there are in each state."""
    return {state: sum(row.state == state for row in rows) for state in STATES}


def row_of(kernel: Kernel, places: Places, now: str) -> Row:
    """What is known of one kernel, without its history. `now` is the date of what has no other."""
    row = Row(kernel.release, kernel.line, kernel.flavour, "grey")
    if kernel.missing:
        more = ", ..." if len(kernel.missing) > 1 else ""
        note = f"packages gone from the mirrors: {kernel.missing[0]}{more}"
        return _not_testable(replace(row, built="missing"), note)
    folder = places.bin / "kernels" / kernel.release
    modules = sorted(folder.glob("*.ko"))
    if modules:
        built = replace(row, built="yes", module_size=sum(module.stat().st_size for module in modules))
        return _tested(built, modules, places)
    # Bazel makes the folder, and removes what was in it, before it builds.
    if folder.exists():
        note = f"its build failed or was stopped; see ./bazelw build //kernels:{kernel.release}"
        return replace(row, state="red", built="failed", date=now, note=note)
    return replace(row, note="its module has not been built")


def _tested(row: Row, modules: Sequence[Path], places: Places) -> Row:
    """The row with what its last test says. A test of another module says nothing about this one."""
    log = places.logs(row.release) / "test.log"
    file = places.results(row.release) / "result.json"
    page = file.with_name("log.html")
    source = page if page.exists() else log
    if source.exists():
        row = replace(row, log=os.path.relpath(source, places.out))
    last = file if file.exists() else log
    if not last.exists():
        return replace(row, note="its test has not been run")
    at = last.stat().st_mtime
    row = replace(row, date=datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    tested, judged = "", replace(row, state="red", note="its test left no result; its log says why")
    if last == file:
        try:
            result = json.loads(file.read_text())
            judged = _judged(row, result)
            tested = str(result["facts"].get("module_sha256", ""))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            again = f"./bazelw test --nocache_test_results {TESTS}:{row.release}"
            print(f"warning: {file}: not a result of a VM test ({error!r}); run it again: {again}", file=sys.stderr)
            return replace(row, note="its result can't be read")
    if not _is_of(modules, tested, at):
        return replace(row, note=f"its module was built anew since its test of {row.date[:10]}")
    return judged


def _is_of(modules: Sequence[Path], digest: str, at: float) -> bool:
    """Whether a test that ended `at` is of these modules; `digest` is "" if it failed before it came to them."""
    if digest:
        return any(digest == hashlib.sha256(module.read_bytes()).hexdigest() for module in modules)
    return at >= max(module.stat().st_mtime for module in modules)


def _judged(row: Row, result: Mapping[str, Any]) -> Row:
    """The row with the content of result.json."""
    facts = result["facts"]
    verdict = result["verdict"]
    state = {"passed": "green", "failed": "red"}[verdict]
    return replace(
        row,
        state=state,
        note="" if state == "green" else str(result.get("reason") or verdict),
        date=str(result.get("date") or row.date),
        seconds=_number(result.get("seconds")),
        boot_seconds=_number(result.get("boot_seconds")),
        load_seconds=_number(facts.get("load_seconds")),
        traffic=str(facts.get("traffic") or row.traffic),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def with_history(row: Row, before: Row | None) -> Row:
    """The row with the dates of its last green run and of the first red one since then.

    What is neither green nor red changes nothing about them.
    """
    if row.state == "green":
        return replace(row, last_green=row.date)
    last_green = before.last_green if before else ""
    red_since = before.red_since if before else ""
    if row.state == "red":
        red_since = red_since or row.date
    return replace(row, last_green=last_green, red_since=red_since)


def read_history(path: Path) -> dict[str, Row]:
    """The rows of an earlier matrix.json, by release; none if there is no such file."""
    if not path.exists():
        return {}
    mend = "restore the file, or remove it: the dates since when kernels are red begin anew then"
    try:
        content = json.loads(path.read_text())
        if content["schema"] != SCHEMA:
            raise UserError(f"{path}: expected a matrix with schema {SCHEMA}, found {content['schema']!r}; {mend}")
        known = {field.name for field in fields(Row)}
        rows = [Row(**{name: entry[name] for name in known}) for entry in content["kernels"]]
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: not JSON ({error.msg}); {mend}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not JSON ({error}); {mend}") from error
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: not as a matrix should be ({error!r}); {mend}") from error
    return {row.release: row for row in rows}


def matrix(
    kernels: Sequence[Kernel],
    history: Mapping[str, Row],
    places: Places,
    now: str,
    skipped: Callable[[Sequence[str]], Mapping[str, str]],
) -> list[Row]:
    """The rows of all kernels. Raises UserError if there is no result of any.

    `skipped` says which of the kernels whose tests left nothing can't be tested, and why.
    """
    if not any(places.logs(kernel.release).exists() for kernel in kernels):
        raise UserError(f"no results yet in {places.testlogs}; run the tests first: ./bazelw test {TESTS}:all")
    rows = [row_of(kernel, places, now) for kernel in kernels]
    reasons = skipped([row.release for row in rows if row.state == "grey" and not row.log])
    rows = [_not_testable(row, reasons[row.release]) if row.release in reasons else row for row in rows]
    return [with_history(row, history.get(row.release)) for row in rows]


def _not_testable(row: Row, why: str) -> Row:
    return replace(row, state="yellow", traffic=NOT_TESTABLE, note=why)


def to_json(rows: Sequence[Row], now: str) -> str:
    """matrix.json: {"schema", "date", "counts": {STATE: NUMBER}, "kernels": [the fields of Row]}."""
    content = {"schema": SCHEMA, "date": now, "counts": counts(rows), "kernels": [asdict(row) for row in rows]}
    return json.dumps(content, indent=1) + "\n"


def with_copied_logs(rows: Sequence[Row], places: Places) -> list[Row]:
    """The rows with links to copies of the results below `out`/logs, for who publishes that folder."""
    copied = []
    for row in rows:
        if row.log:
            source, target = places.out / row.log, places.out / "logs" / row.release
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source.parent, target, copy_function=shutil.copyfile)
            row = replace(row, log=f"logs/{row.release}/{source.name}")
        copied.append(row)
    return copied
