"""log.html as a person meets it: in a wide window and a narrow one, with the keyboard, without scripts."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.report.in_browser.browser import NARROW, WIDE, Browser
from tools.report import write_reports
from tools.report.testing_events import TRACE, Recorder, failing_run, passing_run

TWO = ("left", "right")
Pages = Callable[[Recorder], Path]


@pytest.fixture
def page(tmp_path: Path) -> Pages:
    """Makes the page of a recorded run."""

    def make(recorder: Recorder) -> Path:
        write_reports(recorder.write(tmp_path / "events.jsonl"), tmp_path)
        return tmp_path / "log.html"

    return make


def nasty_run() -> Recorder:
    """A VM that prints what would break a careless page, and long words."""
    nasty = "</script></pre><script>document.title='owned'</script><img src=http://192.0.2.1/x onerror=alert(1)>"
    recorder = Recorder(name="//tests:" + "a_long_name" * 20, machines=TWO)
    recorder.console("left", nasty + "\x1b[31mred\x1b[0m\x00" + "w" * 3000)
    with recorder.step("command", nasty + "v" * 300, "left", ok=False) as step:
        recorder.add("output", id=step, text=nasty + "o" * 300)
    recorder.end("failed", reason=nasty, kind_of_failure="command", trace=[nasty, "t" * 300], machine="left")
    return recorder


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_failure_is_at_the_top(browser: Browser, page: Pages, size: tuple[int, int], dark: bool) -> None:
    browser.open(page(failing_run(TWO)), size, dark=dark)
    browser.screenshot(f"log-failed-{size[0]}-{'dark' if dark else 'light'}")
    for selector in (".verdict", "h1", ".reason", ".where", ".trace summary", ".trace pre span"):
        assert browser.in_window(browser.find(selector)), selector
    assert browser.find(".reason").text == TRACE[0]
    assert browser.find(".where a").text == "ip netns exec a ping -c1 -W1 10.0.1.2"
    assert TRACE[-1] in browser.find(".trace pre").text
    assert browser.overflow() == 0


def test_only_the_failing_steps_are_open(browser: Browser, page: Pages) -> None:
    browser.open(page(failing_run(TWO)))
    titles = [element.text for element in browser.shown(".step > details[open] > summary > .title")]
    assert titles == ["Traffic", "Inside each tenant", "ip netns exec a ping -c1 -W1 10.0.1.2"]
    assert any(TRACE[0] in line.text for line in browser.shown("main pre.console > .trouble"))
    assert any("PING" in output.text for output in browser.shown("main .output"))


def test_sections_nest_and_fold(browser: Browser, page: Pages) -> None:
    browser.open(page(passing_run()))
    browser.screenshot("log-passed-1280")
    outer, inner = "Traffic", "Inside each tenant"
    path = browser.run(
        "const names = [];"
        "let step = Array.from(document.querySelectorAll('.step code')).find(e => e.textContent.includes('10.0.1.2'));"
        "while (step = step.parentElement.closest('.step')) names.push(step.querySelector('.title').textContent);"
        "return names"
    )
    assert path[1:] == [inner, outer]
    summary = next(e for e in browser.all(".section > details > summary") if outer in e.text)
    assert any(inner in e.text for e in browser.shown(".title"))
    summary.click()
    assert not any(inner in e.text for e in browser.shown(".title"))
    browser.find("#open-all").click()
    assert any("64 bytes from" in e.text for e in browser.shown(".output"))
    browser.find("#close-all").click()
    assert browser.shown(".output") == []


def test_bars_stand_where_and_as_long_as_the_steps_were(browser: Browser, page: Pages) -> None:
    recorder = Recorder()
    for title, seconds in (("first", 1.0), ("second", 3.0)):
        with recorder.step("command", title):
            recorder.t += seconds
    recorder.end()
    for size in (WIDE, NARROW):
        browser.open(page(recorder), size)
        script = (
            "return Array.from(document.querySelectorAll('.track'), track => { const bar ="
            " track.firstElementChild.getBoundingClientRect(), all = track.getBoundingClientRect();"
            " return [(bar.left - all.left) / all.width, bar.width / all.width] })"
        )
        (left_1, width_1), (left_2, width_2) = browser.run(script)
        assert left_1 == pytest.approx(0, abs=0.02)
        assert (left_2, width_1, width_2) == pytest.approx((0.25, 0.25, 0.75), abs=0.02)


def test_console_lines_stand_among_the_steps_by_time(browser: Browser, page: Pages) -> None:
    recorder = Recorder(machines=TWO)
    for number in range(3):
        recorder.console(TWO[number % 2], f"line {number}")
        recorder.command("left", f"command {number}", f"output {number}\n")
    recorder.end()
    browser.open(page(recorder))
    browser.find("#open-all").click()
    text = browser.find("main").text
    places = [text.index(f"{what} {number}") for number in range(3) for what in ("line", "command", "output")]
    assert places == sorted(places)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without scripts"])
def test_switches(browser: Browser, page: Pages, scripts: bool) -> None:
    browser.open(page(failing_run(TWO)), scripts=scripts)

    def shown(selector: str) -> bool:
        return bool(browser.shown(f"main {selector}"))

    assert shown("pre.console > .m1")
    assert shown(".output")
    browser.find("#show-machine-m1").click()
    assert not shown("pre.console > .m1")
    browser.find("#show-machine-m1").click()
    browser.find("#show-console").click()
    assert not shown("pre.console > .line")
    assert shown(".output")
    browser.find("#show-outputs").click()
    assert not shown(".output")


def test_without_scripts_only_the_search_is_missing(browser: Browser, page: Pages) -> None:
    browser.open(page(failing_run()), scripts=False)
    assert browser.shown(".scripted") == []
    boot = browser.find(".step > details > summary")
    assert not any("Linux version" in line.text for line in browser.shown("main .line"))
    boot.click()
    browser.find(".step details.console > summary").click()
    assert any("Linux version" in line.text for line in browser.shown("main .line"))


def search(browser: Browser, words: str) -> str:
    """Type into the search box; what the page answers."""
    box = browser.find("#query")
    box.clear()
    box.send_keys(words)
    end = time.monotonic() + 10
    while not (answer := str(browser.run("return document.querySelector('output').value"))) and time.monotonic() < end:
        time.sleep(0.02)
    return answer


def test_search_counts_marks_and_goes_to_what_it_finds(browser: Browser, page: Pages) -> None:
    browser.open(page(failing_run(TWO)))
    assert search(browser, "no such words") == "none"
    browser.find("#query").send_keys(Keys.ESCAPE)
    assert search(browser, "LINUX version") == "2 found"
    assert browser.run("return CSS.highlights.get('found').size") == 2
    assert browser.shown("main .found") == []

    def now() -> tuple[str, str]:
        (found,) = browser.shown(".found-now")
        assert browser.in_window(found)
        return browser.run("return document.querySelector('output').value"), found.get_attribute("data-t")

    box = browser.find("#query")
    box.send_keys(Keys.ENTER)
    answer, first = now()
    assert (answer, first.split()[1]) == ("1 of 2", "left")
    box.send_keys(Keys.ENTER)
    answer, second = now()
    assert (answer, second.split()[1]) == ("2 of 2", "right")
    box.send_keys(Keys.ENTER)
    assert now()[0] == "1 of 2"
    box.send_keys(Keys.SHIFT, Keys.ENTER)
    assert now()[0] == "2 of 2"
    browser.find("[name=previous]").click()
    assert now()[0] == "1 of 2"
    browser.find("[name=next]").click()
    assert now()[0] == "2 of 2"
    browser.screenshot("log-search-1280")


def test_search_finds_titles_and_outputs_too(browser: Browser, page: Pages) -> None:
    browser.open(page(passing_run()))
    assert search(browser, "insmod") == "1 found"
    browser.find("#query").send_keys(Keys.ESCAPE)
    assert search(browser, "bytes from 10.0.1.2") == "1 found"


def test_only_matches_hides_the_rest(browser: Browser, page: Pages) -> None:
    browser.open(page(failing_run(TWO)))
    search(browser, "vr_forward")
    browser.find("#only").click()
    assert [line.get_attribute("data-t").split()[1] for line in browser.shown("main pre .line")] == ["right"]
    assert [title.text for title in browser.shown("main .title")][:2] == ["Traffic", "Inside each tenant"]
    browser.screenshot("log-only-1280")
    browser.find("#query").send_keys(Keys.ESCAPE)
    assert len(browser.shown("main .line")) > 5


def test_keyboard(browser: Browser, page: Pages) -> None:
    browser.open(page(passing_run()))
    browser.press("/")
    assert browser.run("return document.activeElement.id") == "query"
    browser.press("a/b")
    assert browser.run("return document.activeElement.value") == "a/b"
    browser.press(Keys.ESCAPE)
    assert browser.run("return document.querySelector('#query').value") == ""
    for _ in range(20):
        browser.press(Keys.TAB)
        if browser.run("return document.activeElement.localName") == "summary":
            break
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    opened = "return document.activeElement.parentElement.open"
    before = browser.run(opened)
    browser.press(Keys.ENTER)
    assert browser.run(opened) is not before


def test_links_to_steps(browser: Browser, page: Pages) -> None:
    path = page(failing_run(TWO))
    browser.open(path)
    folded = browser.run(
        "return Array.from(document.querySelectorAll('.step')).find(e => e.textContent.includes('vr rt list')"
        " && !e.querySelector('.step')).id"
    )
    assert browser.shown(f"#{folded}") == []
    browser.open(path, fragment=f"#{folded}")
    assert browser.in_window(browser.find(f"#{folded} .title"))
    assert browser.shown(f"#{folded} .output")
    browser.find(".where a").click()
    target = browser.run("return location.hash")
    assert browser.in_window(browser.find(f"{target} .title"))
    link = browser.find(f"{target} > .permalink")
    assert link.get_attribute("href").endswith(target)


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
@pytest.mark.parametrize("run", [passing_run(TWO), failing_run(TWO), nasty_run()], ids=["passed", "failed", "nasty"])
def test_nothing_is_wider_than_the_window(browser: Browser, page: Pages, run: Recorder, width: int) -> None:
    browser.open(page(run), (width, 800))
    assert browser.overflow() == 0
    browser.find("#open-all").click()
    assert browser.overflow() == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_text_can_be_read(browser: Browser, page: Pages, dark: bool, size: tuple[int, int]) -> None:
    machines = ("left", "right", "third", "fourth", "fifth", "sixth")
    for run in (failing_run(machines), passing_run(machines)):
        browser.open(page(run), size, dark=dark)
        browser.find("#open-all").click()
        browser.screenshot(f"log-open-{size[0]}-{'dark' if dark else 'light'}")
        ratio, text = browser.least_contrast()
        assert ratio >= 4.5, text
        ground = browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert (sum(ground) < 3 * 60) is dark


@pytest.mark.parametrize("run", [passing_run(), failing_run(TWO), nasty_run()], ids=["passed", "failed", "nasty"])
def test_the_page_asks_for_nothing_and_says_nothing(browser: Browser, page: Pages, run: Recorder) -> None:
    path = page(run)
    browser.open(path)
    browser.find("#open-all").click()
    search(browser, "e")
    assert browser.driver.title != "owned"
    assert browser.requests() == [path.as_uri()]
    assert browser.messages() == []


def test_a_strange_script_would_not_run(browser: Browser, page: Pages) -> None:
    """What the test above relies on: the policy holds, and the browser says so."""
    path = page(passing_run())
    strange = "<script>document.title = 'owned'</script><img src='http://192.0.2.1/x'>"
    path.write_text(path.read_text().replace("<main", strange + "<main"))
    browser.open(path)
    assert browser.driver.title == "Passed: //tests/kernels:6.1.0-56-amd64"
    assert browser.requests() == [path.as_uri()]
    said = "\n".join(browser.messages())
    assert "Executing inline script violates" in said
    assert "Loading the image 'http://192.0.2.1/x' violates" in said


def test_100_000_console_lines_stay_quick(browser: Browser, page: Pages) -> None:
    path = page(failing_run(TWO, lines=100_000))
    assert path.stat().st_size < 15_000_000
    seconds = {}

    def timed(what: str, action: Callable[[], object]) -> None:
        start = browser.busy_seconds()
        action()
        # A frame has been drawn when the one after it is asked for.
        browser.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        seconds[what] = browser.busy_seconds() - start

    timed("load", lambda: browser.open(path))
    timed("open all", lambda: browser.find("#open-all").click())
    timed("search", lambda: search(browser, "flow 99999 "))
    assert browser.run("return document.querySelector('output').value") == "1 found"
    timed("go there", lambda: browser.press(Keys.ENTER))
    (found,) = browser.shown(".found-now")
    assert browser.in_window(found)
    timed("search for what is everywhere", lambda: search(browser, "10.0.1."))
    timed("only matches", lambda: browser.find("#only").click())
    assert all(value < 2 for value in seconds.values()), seconds
