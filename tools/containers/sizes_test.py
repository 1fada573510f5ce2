"""Tables of sizes, and budgets."""

from pathlib import Path

import pytest

from tools.containers.sizes import LayerSize, Report, check_budget, compare, describe, read_report
from tools.lib.errors import UserError

REPORT = Report("//x", [LayerSize("libc6", 1_500_000, 4_000_000), LayerSize("redis", 2_000_000, 5_000_000)])


def test_the_biggest_comes_first() -> None:
    assert describe(REPORT) == (
        "| layer | MB   | MB unpacked |\n"
        "| ----- | ---- | ----------- |\n"
        "| redis | 2.00 | 5.00        |\n"
        "| libc6 | 1.50 | 4.00        |\n"
        "| total | 3.50 | 9.00        |\n"
    )


def test_only_what_differs_is_compared() -> None:
    new = Report("//x", [LayerSize("redis", 2_500_000, 0), LayerSize("libc6", 1_500_000, 0), LayerSize("a", 10_000, 0)])
    assert compare(REPORT, new) == (
        "| layer | MB before | MB now | difference |\n"
        "| ----- | --------- | ------ | ---------- |\n"
        "| redis | 2.00      | 2.50   | +0.50      |\n"
        "| a     | 0.00      | 0.01   | +0.01      |\n"
        "| total | 3.50      | 4.01   | +0.51      |\n"
    )


def test_a_budget_that_is_exceeded_says_what_is_big() -> None:
    check_budget(REPORT, 0)
    check_budget(REPORT, 4)
    with pytest.raises(UserError, match=r"//x: 3.50 MB, and `budget_mb` is 3; make it(?s:.*)\| redis \| 2.00"):
        check_budget(REPORT, 3)


def test_reports_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "x.sizes.json"
    path.write_text(REPORT.to_json())
    assert read_report(path) == REPORT
    for text in ("{", "[]", '{"image": "x", "layers": [{"name": "a"}]}'):
        path.write_text(text)
        with pytest.raises(UserError, match="x.sizes.json: not a size report"):
            read_report(path)
