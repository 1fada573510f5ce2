"""The browser, started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.in_browser.browser import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; its screenshots go to /out."""
    browser = Browser(Path("/out"))
    yield browser
    browser.driver.quit()
