"""The matrix as a Markdown page, to keep in a repository what came of a run."""

import datetime
from collections.abc import Sequence

from tools.lib.markdown import table
from tools.report.kernel_rows import STATES, Row, counts

_HEAD = ("kernel", "line", "flavour", "state", "boot s", "load s", "test s", "traffic", "")


def _seconds(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def elapsed(rows: Sequence[Row]) -> tuple[datetime.datetime, float] | None:
    """When the first test began, and the seconds until the last one's end; None if there is no test with a result."""
    tests = [
        (datetime.datetime.fromisoformat(row.date), datetime.timedelta(seconds=row.seconds))
        for row in rows
        if row.seconds is not None
    ]
    if not tests:
        return None
    start = min(begun for begun, _ in tests)
    return start, (max(begun + lasted for begun, lasted in tests) - start).total_seconds()


def matrix_markdown(rows: Sequence[Row], cores: int) -> str:
    """The page; `cores` are those of the machine that ran the tests."""
    number = counts(rows)
    said = ", ".join(f"{number[state]} {state}" for state in STATES)
    lines = [f"Made by `./bazelw run //tests:matrix -- --markdown FILE`: {len(rows)} kernels, {said}."]
    title = "`//tests/kernels:all`"
    if run := elapsed(rows):
        title += f" on {run[0].date().isoformat()}"
        lines.append(f"From the first test's start to the last one's end: {run[1]:.0f} s on {cores} cores.")
    cells = [_HEAD] + [
        (
            row.release,
            row.line,
            row.flavour,
            row.state,
            _seconds(row.boot_seconds, 1),
            _seconds(row.load_seconds, 2),
            _seconds(row.seconds, 1),
            row.traffic,
            row.note.replace("|", "\\|"),
        )
        for row in rows
    ]
    return f"# {title}\n\n" + "\n".join(lines) + "\n\n" + table(cells)
