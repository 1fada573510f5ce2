import re
from collections import Counter
from typing import Any

from tests.kernels.random_changes import KEYS, Tables

LISTED: dict[str, list[dict[str, Any]]] = {
    "nh": [{"id": 1, "type": "discard", "users": 1}],
    "rt": [{"vrf": 1, "prefix": "10.0.0.1/32", "nh": 1}],
    "mpls": [],
}


def tables(seed: int) -> Tables:
    return Tables(str(seed), LISTED, virtual=[5, 6], fabric=7)


def replay(lines: list[str]) -> dict[str, dict[tuple[str, ...], dict[str, str]]]:
    """What the lines do, without any help of the model; fails on a line that a router would refuse."""
    state: dict[str, dict[tuple[str, ...], dict[str, str]]] = {kind: {} for kind in KEYS}
    state["nh"][("1",)] = {"id": "1", "type": "discard"}
    state["rt"][("1", "10.0.0.1/32")] = {"vrf": "1", "prefix": "10.0.0.1/32", "nh": "1"}
    for line in lines:
        kind, verb = line.split()[:2]
        entry = dict(re.findall(r"--(\S+) (\S+)", line))
        key = tuple(entry[name] for name in KEYS[kind])
        assert (key in state[kind]) == (verb != "add"), line
        if verb == "del":
            del state[kind][key]
        else:
            state[kind][key] = entry
        used = {user["nh"] for other in ("rt", "mpls") for user in state[other].values()}
        assert used <= {hop for (hop,) in state["nh"]}, line
        assert all(state["nh"][(label["nh"],)]["type"] != "tunnel" for label in state["mpls"].values()), line
    return state


def test_every_change_is_one_that_a_router_takes_and_the_model_knows_the_outcome() -> None:
    model = tables(3)
    state = replay([model.change() for _ in range(2000)])
    for kind in KEYS:
        entries = [{name: str(value) for name, value in entry.items()} for entry in model.tables[kind].values()]
        assert {tuple(entry[name] for name in KEYS[kind]): entry for entry in entries} == state[kind]


def test_changes_are_of_all_kinds() -> None:
    model = tables(1)
    kinds = Counter(" ".join(model.change().split()[:2]) for _ in range(1000))
    assert set(kinds) == {f"{kind} {verb}" for kind in KEYS for verb in ("add", "replace", "del")}


def test_a_seed_gives_the_same_changes_again() -> None:
    first, second, other = ([model.change() for _ in range(50)] for model in (tables(1), tables(1), tables(2)))
    assert first == second != other


def test_what_was_there_at_first_stays() -> None:
    model = tables(5)
    for _ in range(1000):
        model.change()
    assert model.tables["rt"][(1, "10.0.0.1/32")]["nh"] == 1
    assert model.tables["nh"][(1,)] == {"id": 1, "type": "discard"}


def test_the_longest_prefix_wins() -> None:
    model = tables(1)
    for prefix, hop in (("0.0.0.0/0", 2), ("10.0.0.0/8", 3), ("10.0.0.0/31", 4)):
        model.tables["rt"][(1, prefix)] = {"vrf": 1, "prefix": prefix, "nh": hop}
    found = [model.lookup(1, address) for address in ("9.0.0.1", "10.9.9.9", "10.0.0.0", "10.0.0.1")]
    assert [entry and entry["nh"] for entry in found] == [2, 3, 4, 1]
    assert model.lookup(2, "10.0.0.1") is None
