"""Nothing that a VM prints gets through as anything but text."""

from xml.etree import ElementTree

import pytest

from tools.report.text import clean, clip, duration, escape, plural


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain, Größe\tand\nlines", "plain, Größe\tand\nlines"),
        ("\x1b[31;1mred\x1b[0m \x1b]0;title\x07x \x1b(B\x1b7y\x1b=", "red x y"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("cut \x1b[3", "cut 3"),
        ("bell\x07 nul\x00 del\x7f c1\x9b31m", "bell\u2407 nul\u2400 del\u2421 c1\ufffd31m"),
        ("line\r\nnext\r", "line\nnext"),
        ("over\rwritten", "over\u240dwritten"),
        ("\u202eturned\u202c \ud800 \uffff", "\ufffdturned\ufffd \ufffd \ufffd"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_every_character_is_fit_for_xml_and_utf_8() -> None:
    text = clean("".join(map(chr, [*range(0x3000), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x10FFFF])))
    element = ElementTree.Element("a", attribute=text)
    assert ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8")).tag == "a"


def test_escape() -> None:
    assert escape("</script><a href='\"&") == "&lt;/script&gt;&lt;a href=&#x27;&quot;&amp;"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (0.0994, "99 ms"), (0.42, "0.42 s"), (9.994, "9.99 s"), (12.34, "12.3 s"), (125, "2 min 5 s")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_plural() -> None:
    assert (plural(1, "line"), plural(0, "line"), plural(12000, "line")) == ("1 line", "0 lines", "12,000 lines")


def test_clip_keeps_both_ends_and_counts_the_rest() -> None:
    assert clip("short", 10) == ("short", 0, "")
    text = "".join(f"line {number}\n" for number in range(1000))
    head, left_out, tail = clip(text, 200)
    assert head.startswith("line 0\n")
    assert head.endswith("\n")
    assert tail.startswith("line ")
    assert tail.endswith("line 999\n")
    assert len(head) + left_out + len(tail) == len(text)
    assert len(head) + len(tail) <= 200


def test_clip_of_one_long_line() -> None:
    head, left_out, tail = clip("x" * 1000, 100)
    assert (head, left_out, tail) == ("x" * 50, 900, "x" * 50)
