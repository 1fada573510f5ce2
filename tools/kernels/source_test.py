"""Ranges of kernel lines, and the description that the rule writes."""

import json
from pathlib import Path

import pytest

from tools.kernels.source import Patch, Source, in_range, line_key
from tools.lib.errors import UserError


@pytest.mark.parametrize(
    ("kernels", "release", "inside"),
    [
        ("", "6.1.0-56-amd64", True),
        ("..", "6.1.0-56-amd64", True),
        ("6.1", "6.1.0-56-amd64", True),
        ("6.1", "6.12.117+deb13-amd64", False),
        ("..5.10", "5.10.0-46-amd64", True),
        ("..5.10", "6.1.0-56-amd64", False),
        ("6.1..", "5.10.0-46-amd64", False),
        ("6.1..", "6.12.117+deb13-amd64", True),  # by number: 6.12 is after 6.2
        ("6.2..6.20", "6.12.117+deb13-amd64", True),
        ("5.10..6.12", "7.2.13+deb14-amd64", False),
        ("6.1.7..", "6.1.0-56-amd64", True),  # ranges are of lines, not of releases
    ],
)
def test_ranges(kernels: str, release: str, inside: bool) -> None:
    assert in_range(release, kernels) is inside


@pytest.mark.parametrize("text", ["", "6", "v6.1", "6.1rc1", "six.one", "latest"])
def test_what_is_no_line(text: str) -> None:
    with pytest.raises(UserError, match=r"starts like 6\.1"):
        line_key(text)


def test_the_description_is_read(tmp_path: Path) -> None:
    path = tmp_path / "source.json"
    content = {
        "label": "//x:y",
        "driver": "kbuild",
        "directory": ".",
        "modules": ["a/b"],
        "make_vars": {"V": "1"},
        "patches": [{"path": "/forge/patches/0.patch", "name": "x/fix.patch", "kernels": "6.1.."}],
        "display": "x",
    }
    path.write_text(json.dumps(content))
    source = Source.read(path)
    assert source.modules == ("a/b",)
    assert source.patches == (Patch("/forge/patches/0.patch", "x/fix.patch", "6.1.."),)
