"""Lists of packages: specs with `dependencies: false`."""

from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.roots.spec import parse_spec

BASE = "suite: bookworm\npackages: [jool-dkms]\n"


def test_dependencies_are_resolved_unless_told_otherwise() -> None:
    assert parse_spec(BASE, Path("x.yaml")).dependencies
    assert parse_spec(BASE + "dependencies: true\n", Path("x.yaml")).dependencies
    assert not parse_spec(BASE + "dependencies: false\n", Path("x.yaml")).dependencies


@pytest.mark.parametrize("value", ["'false'", "0", "[]", "none"])
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(UserError, match=r"^x\.yaml:3: dependencies: expected true or false"):
        parse_spec(BASE + f"dependencies: {value}\n", Path("x.yaml"))
