"""The pages in headless Chromium: tests/report/in_browser."""

from pathlib import Path

from tests.report.browser_root import check_in_browser_root


def test_the_pages_pass(tmp_path: Path) -> None:
    check_in_browser_root("tests/report/in_browser", tmp_path, {})
