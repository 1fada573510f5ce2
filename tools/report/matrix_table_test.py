"""The matrix in Markdown."""

from tools.report.kernel_rows import Row
from tools.report.matrix_table import elapsed, matrix_markdown

GREEN = Row(
    "6.1.0-56-amd64",
    "6.1",
    "amd64",
    "green",
    boot_seconds=4.84,
    load_seconds=0.1,
    seconds=9.96,
    traffic="passed",
    date="2026-11-21T23:59:58Z",
)
RED = Row("6.1.0-57-amd64", "6.1", "amd64", "red", note="a | b", seconds=3.0, date="2026-11-22T00:00:10Z")
GREY = Row("6.1.0-58-amd64", "6.1", "amd64", "grey", note="its test has not been run")


def test_page_has_a_line_for_each_kernel() -> None:
    page = matrix_markdown([GREEN, RED, GREY], cores=2)
    assert page.startswith("# `//tests/kernels:all` on 2026-11-21\n")
    assert "3 kernels, 1 green, 1 red, 0 yellow, 1 grey." in page
    assert "the last one's end: 15 s on 2 cores." in page
    assert "| 6.1.0-56-amd64 | 6.1  | amd64   | green | 4.8    | 0.10   | 10.0   | passed  | " in page
    assert "a \\| b" in page


def test_time_is_from_the_first_start_to_the_last_end() -> None:
    assert elapsed([GREY]) is None
    times = elapsed([RED, GREEN, GREY])
    assert times is not None
    assert times[1] == 15.0
