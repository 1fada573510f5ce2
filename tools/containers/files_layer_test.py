"""What goes where, whose it is, and what is said of a mistake."""

from pathlib import Path
from typing import Any

import pytest

from tools.containers.accounts import Accounts, parse_accounts
from tools.containers.contents import DIRECTORY, FILE, SYMLINK, Entry
from tools.containers.files_layer import Plan, fill_in, layer_entries
from tools.lib.errors import UserError

ACCOUNTS = parse_accounts("root:x:0:0::/:/bin/sh\nredis:x:100:101::/:/bin/sh\n", "root:x:0:\nredis:x:101:\nmail:x:8:\n")


def made(tmp_path: Path, **plan: Any) -> dict[str, Entry]:
    (tmp_path / "a").write_text("a\n")
    (tmp_path / "t").write_text("port @PORT@\n")
    content = {"files": [(str(tmp_path / "a"), "/etc/a")]} | plan
    return {entry.path: entry for entry in layer_entries("//x:files", Plan(**content), ACCOUNTS)[0]}


def test_modes_and_owners(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        directories=["/var/lib/a/", "/var/lib"],
        symlinks={"/usr/bin/a": "../../etc/a"},
        modes={"/etc/a": "0640", "/var/lib/a": "2775"},
        owners={"/etc/a": "root:mail", "/var/lib/a": "redis", "/usr/bin/a": "7:8"},
    )
    a, folder, link = found["etc/a"], found["var/lib/a"], found["usr/bin/a"]
    assert (a.type, a.mode, a.uid, a.gid, a.size) == (FILE, 0o640, 0, 8, 2)
    assert (folder.type, folder.mode, folder.uid, folder.gid) == (DIRECTORY, 0o2775, 100, 101)
    assert (link.type, link.target, link.uid, link.gid) == (SYMLINK, "../../etc/a", 7, 8)
    assert found["var/lib"].mode == 0o755


def test_owners_by_name_or_number() -> None:
    assert ACCOUNTS.resolve("redis", "x") == (100, 101)
    assert ACCOUNTS.resolve("100", "x") == (100, 101)
    assert ACCOUNTS.resolve("65753", "x") == (65753, 65753)
    assert ACCOUNTS.resolve(":mail", "x") == (0, 8)
    assert ACCOUNTS.resolve("5:redis", "x") == (5, 101)
    with pytest.raises(UserError, match=r"x: there is no user 'web' \(there are: redis, root\); give a number, or in"):
        ACCOUNTS.resolve("web", "x")
    with pytest.raises(UserError, match=r"x: there is no group 'web' \(there are: mail, redis, root\)"):
        ACCOUNTS.resolve("redis:web", "x")
    with pytest.raises(UserError, match="'redis:' is no owner; expected USER, USER:GROUP or :GROUP"):
        ACCOUNTS.resolve("redis:", "x")
    with pytest.raises(UserError, match="there is no user '4294967295'"):
        Accounts().resolve("4294967295", "x")


def test_templates() -> None:
    used: set[str] = set()
    text = fill_in(b"\xff @A@ a@b.c @B@@A@\n", {"A": "1", "B": "\u00e4"}, "t", used)
    assert text == b"\xff 1 a@b.c \xc3\xa41\n"
    assert used == {"A", "B"}
    with pytest.raises(UserError, match="t:2: nothing is substituted for @C@; there are: A"):
        fill_in(b"@A@\n@C@", {"A": "1"}, "t", used)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"directories": ["/etc/a"]}, "//x:files: /etc/a is given twice, by .*/a and by `directories`; keep one"),
        ({"directories": ["etc"]}, "'etc' is no absolute path of a container"),
        ({"directories": ["/a/../b"]}, "no absolute path of a container"),
        ({"symlinks": {"/etc/a/b": "c"}}, "/etc/a/b lies below /etc/a, which is a file"),
        ({"modes": {"/etc/b": "0600"}}, "//x:files: modes: the layer has no /etc/b; it has: /etc/a"),
        ({"symlinks": {"/l": "c"}, "modes": {"/l": "0600"}}, "/l is a symbolic link, which has no mode"),
        ({"owners": {"/etc/a": "web"}}, "//x:files: owners: /etc/a: there is no user 'web'"),
        ({"substitutions": {"HOST": "x"}}, "no template has @HOST@"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, plan: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        made(tmp_path, **plan)
