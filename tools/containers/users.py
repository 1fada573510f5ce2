"""Users of an image that no package makes (passwd(5), group(5), shadow(5), gshadow(5))."""

import re
from collections.abc import Iterable
from pathlib import Path

from tools.containers.accounts import parse_accounts
from tools.lib.errors import UserError
from tools.roots.clock import SOURCE_DATE_EPOCH

_USER = re.compile(r"([a-z_][a-z0-9_-]{0,31}):([0-9]{1,9})")


def add_users(layer: str, tree: Path, users: Iterable[str]) -> None:
    """Add users, each NAME:NUMBER, with a group of their own, the home /home/NAME, and no password.

    Raises UserError, which begins with the layer's name, for one that isn't well formed or is there already.
    """
    accounts = parse_accounts((tree / "etc/passwd").read_text(), (tree / "etc/group").read_text())
    names = {*accounts.users, *accounts.groups}
    numbers = {*(uid for uid, _ in accounts.users.values()), *accounts.groups.values()}
    for user in users:
        found = _USER.fullmatch(user)
        if not found:
            raise UserError(f"{layer}: users: '{user}': expected a name of a-z, 0-9, _ and -, and a number")
        name, number = found[1], found[2]
        if name in names or int(number) in numbers:
            raise UserError(f"{layer}: users: '{user}': a user or group has that name or number; choose another")
        names.add(name)
        numbers.add(int(number))
        lines = {
            "passwd": f"{name}:x:{number}:{number}::/home/{name}:/bin/bash",
            "group": f"{name}:x:{number}:",
            "shadow": f"{name}:*:{SOURCE_DATE_EPOCH // 86400}:0:99999:7:::",
            "gshadow": f"{name}:*::",
        }
        for file, line in lines.items():
            with (tree / "etc" / file).open("a") as stream:
                stream.write(f"{line}\n")
