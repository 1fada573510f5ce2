"""The page of a run of tests/report/oops.py, which tests/report/vm_log_test.py leaves in /run-of-vm."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.report.in_browser.browser import NARROW, WIDE, Browser

RUN = Path("/run-of-vm")
PAGE = RUN / "log.html"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_failure_is_at_the_top(browser: Browser, size: tuple[int, int]) -> None:
    browser.open(PAGE, size)
    browser.screenshot(f"vm-log-{size[0]}")
    for selector in (".verdict", "h1", ".reason", ".where", ".trace summary", ".trace pre span"):
        assert browser.in_window(browser.find(selector)), selector
    assert "BUG: kernel NULL pointer dereference" in browser.find(".reason").text
    assert browser.find(".where").text.startswith("Harm \u203a A null pointer \u203a insmod trouble.ko what=oops")
    assert "do_oops" in browser.find(".trace").text
    assert browser.overflow() == 0


def test_steps_and_consoles_are_in_their_places(browser: Browser) -> None:
    browser.open(PAGE)
    opened = [element.text for element in browser.shown(".step > details[open] > summary > .title")]
    assert opened == ["Harm", "A null pointer", "insmod trouble.ko what=oops"]
    assert any("do_oops" in line.text for line in browser.shown("main .bad pre.console .line"))
    browser.find("#open-all").click()
    boot = browser.find(".step")
    assert boot.text.startswith("boot 6.1.")
    assert "Linux version 6.1." in boot.text
    assert "do_oops" not in boot.text
    assert browser.messages() == []
    assert browser.requests() == [PAGE.as_uri()]


def test_links_beside_the_page_lead_somewhere(browser: Browser) -> None:
    browser.open(PAGE)
    names = [link.text for link in browser.all("footer a")]
    assert names == ["serial-vm.log", "junit.xml", "events.jsonl", "result.json"]
    assert all((RUN / name).stat().st_size for name in names)


def test_junit_says_the_same(browser: Browser) -> None:
    browser.open(PAGE)
    (failure,) = ElementTree.parse(RUN / "junit.xml").iter("failure")
    assert failure.get("message") == browser.find(".reason").text
    assert failure.get("type") == "oops"
