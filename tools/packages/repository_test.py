"""Two packages of one name, version and architecture are refused. tests/packages has the rest, with real programs."""

from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.packages.repository import check_unique


@pytest.mark.parametrize(("content", "message"), [("b", "with different bytes"), ("a", "with the same bytes")])
def test_two_packages_of_one_identity(tmp_path: Path, content: str, message: str) -> None:
    files = {name: tmp_path / name for name in ("one.deb", "two.deb")}
    for file, text in zip(files.values(), ("a", content), strict=True):
        file.write_text(text)
    with pytest.raises(UserError, match=f"one.deb and two.deb are both hello 1 all, {message}; keep one"):
        check_unique(dict.fromkeys(files, "hello 1 all"), files)


def test_other_versions_and_architectures(tmp_path: Path) -> None:
    check_unique({"a": "hello 1 all", "b": "hello 2 all", "c": "hello 1 amd64"}, dict.fromkeys("abc", tmp_path))
