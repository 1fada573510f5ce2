"""The matrix of all kernels as a person meets it."""

from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from tests.report.in_browser.browser import NARROW, WIDE, Browser
from tools.report.kernel_rows import NOT_TESTABLE, Row
from tools.report.matrix_page import matrix_html

NOW = "2026-11-21T12:00:00Z"
LINES = {"5.10": "5.10.0-{}", "6.1": "6.1.0-{}", "6.12": "6.12.{}+deb13"}
FLAVOURS = ("amd64", "cloud-amd64", "rt-amd64")
BROKEN = "6.1.0-44-cloud-amd64"
NASTY = "</script><script>document.title='owned'</script><img src=http://192.0.2.1/x>" + "n" * 300


def all_rows() -> list[Row]:
    """108 kernels in all states."""
    rows: list[Row] = []
    for line, pattern in LINES.items():
        for number in range(40, 52):
            for flavour in FLAVOURS:
                release = f"{pattern.format(number)}-{flavour}"
                log = f"logs/{release}/log.html"
                row = Row(release, line, flavour, "green", "", "yes", 90_000 + 31 * len(rows), 0.02 * number, 4.0, 9.0,
                          "passed", NOW, log, "", NOW)  # fmt: skip
                if number == 40 and line == "6.1":
                    row = Row(release, line, flavour, "yellow", "packages gone", "missing", traffic=NOT_TESTABLE)
                if number == 51 and line == "6.12":
                    row = Row(release, line, flavour, "grey", "its test has not been run", "yes", 91_000)
                if release == BROKEN:
                    row = replace(row, state="red", note=NASTY, traffic="failed", last_green="2026-11-18T09:00:00Z")
                    row = replace(row, red_since="2026-11-19T09:00:00Z")
                rows.append(row)
    return rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The page of these kernels."""
    path = tmp_path / "matrix.html"
    path.write_text(matrix_html(all_rows(), NOW))
    return path


def releases(browser: Browser) -> list[str]:
    """The kernels that the table shows, in its order."""
    script = (
        "return Array.from(document.querySelectorAll('.kernels tbody tr')).filter((row) => row.checkVisibility())"
        ".map((row) => row.cells[0].firstChild.data)"
    )
    return list(browser.run(script))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_failed_comes_first(browser: Browser, path: Path, size: tuple[int, int], dark: bool) -> None:
    browser.open(path, size, dark=dark)
    browser.screenshot(f"matrix-{size[0]}-{'dark' if dark else 'light'}")
    assert browser.find("h1").text == "101 of 108 kernels passed"
    link = browser.find(".failing a")
    assert browser.in_window(link)
    assert link.text == BROKEN
    assert "since 2026-11-19" in browser.find(".failing").text
    ratio, text = browser.least_contrast()
    assert ratio >= 4.5, text
    ground = browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(ground) < 3 * 60) is dark


@pytest.mark.parametrize("width", [320, 360, 768, 901, 1280, 1920])
def test_nothing_is_wider_than_the_window(browser: Browser, path: Path, width: int) -> None:
    browser.open(path, (width, 800))
    assert browser.overflow() == 0


def test_the_overview_has_a_square_for_each_kernel(browser: Browser, path: Path) -> None:
    browser.open(path)
    assert len(browser.all(".overview a")) == 108
    heads = [cell.text for cell in browser.all(".overview thead th")]
    assert heads == ["Line", *FLAVOURS]
    assert [cell.text for cell in browser.all(".overview tbody th")] == list(LINES)
    (red,) = browser.all(".overview a.red")
    assert red.get_attribute("title") == f"{BROKEN}: failed"
    browser.find("#show-red").click()
    assert BROKEN not in releases(browser)
    red.click()
    row = browser.find("tr:target")
    assert row.text.startswith(BROKEN)
    assert browser.run("return arguments[0].getBoundingClientRect().top < innerHeight", row)


def test_the_row_of_a_kernel_links_to_its_log(browser: Browser, path: Path) -> None:
    browser.open(path)
    row = next(row for row in browser.all("tr.green"))
    names = [cell.get_attribute("data-name") for cell in row.find_elements("css selector", "td:has(a)")]
    assert names == ["Test", "Load", "Traffic", "Boot", "Total"]
    links = {link.get_attribute("href") for link in row.find_elements("css selector", "a")}
    assert links == {(path.parent / "logs/5.10.0-40-amd64/log.html").as_uri()}
    assert "failed since 2026-11-19" in browser.find("tr.red").text
    assert "2026-11-18" in browser.find("tr.red").text


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without scripts"])
def test_states_are_switched(browser: Browser, path: Path, scripts: bool) -> None:
    browser.open(path, scripts=scripts)
    labels = [" ".join(label.text.split()) for label in browser.all(".states label")]
    assert labels == ["101 passed", "1 failed", "3 not testable", "3 not run"]
    for state in ("green", "yellow", "grey"):
        browser.find(f"#show-{state}").click()
    assert releases(browser) == [BROKEN]
    assert bool(browser.shown(".scripted")) is scripts


def test_filters(browser: Browser, path: Path) -> None:
    browser.open(path)
    Select(browser.find("#line")).select_by_visible_text("6.1")
    assert len(releases(browser)) == 36
    Select(browser.find("#flavour")).select_by_visible_text("rt-amd64")
    assert len(releases(browser)) == 12
    assert browser.find(".toolbar output").text == "12 of 108 shown"
    browser.press("/")
    browser.press("-4")
    assert releases(browser) == [f"6.1.0-{number}-rt-amd64" for number in range(40, 50)]
    browser.press(Keys.ESCAPE)
    assert len(releases(browser)) == 12


def test_sorting(browser: Browser, path: Path) -> None:
    browser.open(path)
    original = releases(browser)

    def sort(name: str) -> list[str]:
        next(button for button in browser.all(".kernels thead button") if button.text.startswith(name)).click()
        return releases(browser)

    assert sort("Module")[0] == "6.1.0-40-amd64"
    assert browser.find("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    assert sort("Module")[0] == "6.12.50+deb13-rt-amd64"
    assert sort("Test")[101] == BROKEN
    assert sort("Test")[0].startswith("6.12.51")
    assert sort("Kernel") == original


def test_keyboard(browser: Browser, path: Path) -> None:
    browser.open(path)
    browser.run("document.querySelector('.kernels thead button').focus()")
    browser.press(Keys.ENTER)
    assert browser.find("th[aria-sort]").text.startswith("Kernel")
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_the_page_asks_for_nothing_and_says_nothing(browser: Browser, path: Path) -> None:
    browser.open(path)
    assert browser.driver.title == "101 of 108 kernels passed"
    assert browser.requests() == [path.as_uri()]
    assert browser.messages() == []


@pytest.mark.parametrize("rows", [[], all_rows()[:1]], ids=["none", "one"])
def test_a_small_catalogue(browser: Browser, path: Path, rows: list[Row]) -> None:
    path.write_text(matrix_html(rows, NOW))
    browser.open(path, NARROW)
    assert browser.find("h1").text == f"{len(rows)} of {len(rows)} kernel{'' if len(rows) == 1 else 's'} passed"
    assert browser.messages() == []
