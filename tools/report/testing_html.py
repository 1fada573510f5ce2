"""Checks of a page's HTML, for tests."""

import re
from html.parser import HTMLParser

# Elements without an end tag (HTML standard, "void elements"), as far as the pages have them.
VOID = {"meta", "link", "input", "wbr"}


class Checker(HTMLParser):
    """Every element is closed where it should be; keeps ids, links and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src"):
                self.links.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(html: str, links: str = r"[\w.%-]+") -> Checker:
    """The page's elements; fails if they aren't nested well, an id stands twice, or a link leads elsewhere.

    `links` is what links to files may look like.
    """
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    for link in checker.links:
        if link.startswith("#"):
            assert link[1:] in checker.ids
        else:
            assert link.startswith("data:image/svg+xml,") or re.fullmatch(links, link)
    return checker
