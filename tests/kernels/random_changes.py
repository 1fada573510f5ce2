"""Random changes to a router's tables, and a model that knows what the tables are afterwards.

An entry is a dict as `vr --json` shows it, which is also what `vr` takes as options: {"vrf": 1,
"prefix": "10.0.0.0/8", "nh": 7} is `--vrf 1 --prefix 10.0.0.0/8 --nh 7`.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any

Entry = Mapping[str, Any]
Key = tuple[Any, ...]

# The tables by vr's names, what identifies an entry, and how often a table is the one to change.
KEYS = {"nh": ("id",), "rt": ("vrf", "prefix"), "mpls": ("label",)}
_WEIGHTS = (3, 6, 1)
_VRFS = (0, 1, 2, 255)
# Few enough networks that prefixes lie within each other, and are added again after their deletion.
_NETWORKS = ("10.0.0.0", "10.0.0.7", "10.1.0.0", "10.255.255.255", "172.16.1.2", "224.0.0.0")
_SHOWN_ONLY = ("users",)


class Tables:
    """The model. What is in the tables at first is never changed."""

    def __init__(self, seed: str, listed: Mapping[str, Iterable[Entry]], virtual: Sequence[int], fabric: int) -> None:
        """`listed` is what `vr` lists of each table; the devices are given by their index."""
        self._random = random.Random(seed)
        self._virtual, self._fabric = virtual, fabric
        self.tables = {kind: by_key(kind, listed[kind]) for kind in KEYS}
        self._kept = {kind: set(table) for kind, table in self.tables.items()}

    def change(self) -> str:
        """Makes one change, and says it as a line of `vr batch`."""
        while True:
            (kind,) = self._random.choices(list(KEYS), _WEIGHTS)
            verb = self._random.choice(("add", "add", "replace", "del"))
            if entry := self._entry_to(verb, kind):
                break
        if verb == "del":
            del self.tables[kind][_key(kind, entry)]
        else:
            self.tables[kind][_key(kind, entry)] = entry
        return " ".join([kind, verb, *(f"--{name} {value}" for name, value in entry.items())])

    def users(self, hop: int, *kinds: str) -> int:
        """How many entries of these tables name the next hop."""
        return sum(entry["nh"] == hop for kind in kinds for entry in self.tables[kind].values())

    def lookup(self, vrf: int, address: str) -> Entry | None:
        """The route that a packet to the address takes: the one with the longest prefix."""
        found = [
            (network.prefixlen, key)
            for key in self.tables["rt"]
            if key[0] == vrf and IPv4Address(address) in (network := IPv4Network(key[1]))
        ]
        return self.tables["rt"][max(found)[1]] if found else None

    def _entry_to(self, verb: str, kind: str) -> Entry | None:
        """An entry that this can be done with, or None if there is none, or chance picked one that can't."""
        table = self.tables[kind]
        if verb == "add":
            entry = self._new(kind)
            return None if _key(kind, entry) in table else entry
        changeable = [key for key in table if key not in self._kept[kind]]
        if not changeable:
            return None
        key = self._random.choice(changeable)
        identity = dict(zip(KEYS[kind], key, strict=True))
        if verb == "del":
            return None if kind == "nh" and self.users(key[0], "rt", "mpls") else identity
        entry = {**self._new(kind), **identity}
        # A label leads to no tunnel.
        return None if entry.get("type") == "tunnel" and self.users(key[0], "mpls") else entry

    def _new(self, kind: str) -> dict[str, Any]:
        pick = self._random
        if kind == "nh":
            return {"id": pick.randint(100, 4095), **self._hop(pick.choice(("receive", "encap", "tunnel", "discard")))}
        if kind == "mpls":
            hops = [key[0] for key, hop in self.tables["nh"].items() if hop["type"] != "tunnel"]
            return {"label": pick.randint(16, 2**20 - 1), "nh": pick.choice(hops)}
        network = IPv4Network((pick.choice(_NETWORKS), pick.randint(0, 32)), strict=False)
        hops = [key[0] for key in self.tables["nh"]]
        return {"vrf": pick.choice(_VRFS), "prefix": str(network), "nh": pick.choice(hops)}

    def _hop(self, kind: str) -> dict[str, Any]:
        if kind == "encap":
            return {"type": kind, "ifindex": self._random.choice(self._virtual), "dmac": self._mac()}
        if kind == "tunnel":
            ends = {"local": "192.0.2.1", "remote": f"192.0.2.{self._random.randint(2, 254)}"}
            label = self._random.randint(16, 2**20 - 1)
            return {"type": kind, "ifindex": self._fabric, "dmac": self._mac(), **ends, "label": label}
        return {"type": kind}

    def _mac(self) -> str:
        return f"02:00:00:00:01:{self._random.randrange(256):02x}"


def _key(kind: str, entry: Entry) -> Key:
    return tuple(entry[name] for name in KEYS[kind])


def by_key(kind: str, listed: Iterable[Entry]) -> dict[Key, Entry]:
    """Listed entries by what identifies them, without what is only shown."""
    entries = ({name: value for name, value in entry.items() if name not in _SHOWN_ONLY} for entry in listed)
    return {_key(kind, entry): entry for entry in entries}
