"""Reading a root's YAML: what it says, and file and line of what is wrong."""

from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.roots.spec import parse_spec, read_spec

GOOD = """\
suite: bookworm
pockets: [bookworm-backports]
packages:
  - gcc-12
  - make/bookworm-backports
extras:
  scons: [scons, g++]
without: [build-essential]
exclude: [usr/share/doc/]
links: {usr/bin/awk: mawk}
"""


def test_a_whole_spec() -> None:
    spec = parse_spec(GOOD, Path("roots/demo.yaml"))
    assert (spec.name, spec.suite, spec.pockets) == ("demo", "bookworm", ("bookworm-backports",))
    assert [(package.text, package.name, package.place) for package in spec.packages] == [
        ("gcc-12", "gcc-12", "roots/demo.yaml:4"),
        ("make/bookworm-backports", "make", "roots/demo.yaml:5"),
    ]
    assert [package.name for package in spec.extras["scons"]] == ["scons", "g++"]
    assert spec.without == ("build-essential",)
    assert spec.exclude == ("usr/share/doc",)
    assert spec.links == {"usr/bin/awk": "mawk"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"demo\.yaml:1: the file is empty"),
        ("suite: bookworm\npackages: [a\n", r"demo\.yaml:3: not YAML: "),
        ("suite: bookworm\n\tpackages: []\n", r"demo\.yaml:2: not YAML: "),
        ("- suite\n", r"demo\.yaml:1: the file: expected a mapping, such as key: value, found a list"),
        ("suite: bookworm\npackage: [dash]\n", r"demo\.yaml:2: unknown key 'package'; valid keys are: suite, "),
        ("suite: bookworm\nsuite: sid\n", r"demo\.yaml:2: the key 'suite' stands twice"),
        ("suite: bookworm\n", r"demo\.yaml:1: the key 'packages' is missing"),
        ("suite: woody\npackages: [dash]\n", r"demo\.yaml:1: unknown suite 'woody'; expected one of: bullseye, "),
        ("suite: [sid]\npackages: [dash]\n", r"demo\.yaml:1: suite: expected a text, found a list"),
        ("suite: sid\npackages: dash\n", r"demo\.yaml:2: packages: expected a list, such as \[a, b\], found 'dash'"),
        ("suite: sid\npackages: []\n", r"demo\.yaml:2: packages: expected at least one package"),
        ("suite: sid\npackages:\n  - dash\n  - 12\n", r"demo\.yaml:4: packages: expected a text, found '12'"),
        ("suite: sid\npackages:\n  - Dash=1\n", r"demo\.yaml:3: packages: expected a package name, or NAME/SUITE"),
        ("suite: sid\npackages: [dash]\npockets: [woody]\n", r"demo\.yaml:3: pockets: expected a suite of "),
        ("suite: sid\npackages: [dash]\nextras: {A B: [c]}\n", r"demo\.yaml:3: extras: expected a name of small"),
        ("suite: sid\npackages: [dash]\nexclude: [/usr]\n", r"demo\.yaml:3: exclude: expected a path inside the root"),
        ("suite: sid\npackages: [dash]\nlinks: {../a: b}\n", r"demo\.yaml:3: links: expected a path inside the root"),
        ("suite: sid\npackages: [dash]\nlinks: {usr/a: 1}\n", r"demo\.yaml:3: links: usr/a: expected a text"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_spec(text, Path("demo.yaml"))


def test_an_unknown_root_names_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "tools.yaml").write_text(GOOD)
    with pytest.raises(UserError, match=r"tool\.yaml: no such root; there are: tools"):
        read_spec(tmp_path / "tool.yaml")
