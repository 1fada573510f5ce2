"""The users and groups of an image, by which owners are given by name.

They come from /etc/passwd and /etc/group (passwd(5), group(5)) as JSON:

    {"users": {NAME: [UID, GID]}, "groups": {NAME: GID}}
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.lib.errors import UserError

_MOST = 0xFFFFFFFE  # the kernel keeps the last number for "no change"


@dataclass(frozen=True)
class Accounts:
    """Users by name, each with its own number and that of its group; groups by name."""

    users: Mapping[str, tuple[int, int]] = field(default_factory=lambda: {"root": (0, 0)})
    groups: Mapping[str, int] = field(default_factory=lambda: {"root": 0})

    def to_json(self) -> str:
        """The file's text."""
        return json.dumps({"users": self.users, "groups": self.groups}, indent=2, sort_keys=True) + "\n"

    def resolve(self, owner: str, where: str) -> tuple[int, int]:
        """The numbers of "USER", "USER:GROUP" or ":GROUP", each a name or a number.

        Without a group it is the user's own, or for a number the same number. Raises UserError, which begins
        with `where` and lists who exists.
        """
        user, colon, group = owner.partition(":")
        if (colon and not group) or not owner:
            raise UserError(f"{where}: '{owner}' is no owner; expected USER, USER:GROUP or :GROUP")
        uid, gid = 0, 0
        if user:
            uid, gid = self._user(user, where)
        if group:
            gid = self._number(group, self.groups, "group", where)
        return uid, gid

    def _user(self, user: str, where: str) -> tuple[int, int]:
        if user in self.users:
            return self.users[user]
        numbers = {name: uid for name, (uid, _) in self.users.items()}
        number = self._number(user, numbers, "user", where)
        return next(((uid, gid) for uid, gid in self.users.values() if uid == number), (number, number))

    @staticmethod
    def _number(text: str, known: Mapping[str, int], kind: str, where: str) -> int:
        if text in known:
            return known[text]
        if text.isdecimal() and int(text) <= _MOST:
            return int(text)
        names = ", ".join(sorted(known))
        raise UserError(
            f"{where}: there is no {kind} '{text}' (there are: {names}); give a number, or in `accounts` the layer "
            f"whose packages make the {kind}"
        )


def parse_accounts(passwd: str, group: str) -> Accounts:
    """The accounts of the two files' texts."""
    users = {}
    for line in passwd.splitlines():
        name, _, uid, gid, *_ = line.split(":")
        users[name] = (int(uid), int(gid))
    groups = {}
    for line in group.splitlines():
        name, _, gid, *_ = line.split(":")
        groups[name] = int(gid)
    return Accounts(users, groups)


def read_accounts(path: Path) -> Accounts:
    """Read what `to_json` wrote."""
    content = json.loads(path.read_text())
    return Accounts({name: (uid, gid) for name, (uid, gid) in content["users"].items()}, content["groups"])
