"""Users that no package makes."""

from pathlib import Path

import pytest

from tools.containers.users import add_users
from tools.lib.errors import UserError

_FILES = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\n",
    "group": "root:x:0:\nstaff:x:50:\n",
    "shadow": "root:*:20089:0:99999:7:::\n",
    "gshadow": "root:*::\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    for name, text in _FILES.items():
        (tmp_path / "etc" / name).write_text(text)
    return tmp_path


def test_a_user_is_added(tree: Path) -> None:
    add_users("//a:b", tree, ["ci:1000"])
    added = {name: (tree / "etc" / name).read_text().removeprefix(text) for name, text in _FILES.items()}
    assert added == {
        "passwd": "ci:x:1000:1000::/home/ci:/bin/bash\n",
        "group": "ci:x:1000:\n",
        "shadow": "ci:*:20089:0:99999:7:::\n",
        "gshadow": "ci:*::\n",
    }


@pytest.mark.parametrize(
    ("users", "message"),
    [
        (["ci"], "//a:b: users: 'ci': expected a name"),
        (["C I:1000"], "//a:b: users: 'C I:1000': expected a name"),
        (["staff:1000"], "//a:b: users: 'staff:1000': a user or group has that name or number"),
        (["ci:50"], "a user or group has that name or number"),
        (["ci:1000", "ci:1001"], "'ci:1001': a user or group has that name or number"),
    ],
)
def test_what_can_t_be_added(tree: Path, users: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        add_users("//a:b", tree, users)
