"""The graph of actions that a build runs: which feed which, how long each takes, how large their files are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median


@dataclass(frozen=True)
class Blob:
    """Files that go together: one output of an action, or the source files of one set.

    producer: the number of the action that makes it; -1 for sources.
    """

    size: int
    files: int = 1
    producer: int = -1


@dataclass(frozen=True)
class Action:
    """One action.

    name: unique; seconds: of one core, without any transfer, None when it wasn't measured;
    local: the client does it itself, in no time, and what it makes is like a source.
    """

    name: str
    mnemonic: str
    seconds: float | None
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    local: bool = False


@dataclass(frozen=True)
class Graph:
    """Actions and blobs, by number. requested: the blobs that the user asked for."""

    actions: tuple[Action, ...]
    blobs: tuple[Blob, ...]
    requested: frozenset[int] = frozenset()

    def needs(self) -> list[list[int]]:
        """For each action those whose outputs it reads, in increasing order."""
        producer = [blob.producer for blob in self.blobs]
        return [sorted({producer[blob] for blob in action.inputs if producer[blob] >= 0}) for action in self.actions]


def order(needs: Sequence[Sequence[int]]) -> list[int]:
    """The actions' numbers, each after those that it needs. Raises ValueError for a cycle."""
    left = [len(each) for each in needs]
    users: list[list[int]] = [[] for _ in needs]
    for number, each in enumerate(needs):
        for other in each:
            users[other].append(number)
    found = [number for number, count in enumerate(left) if not count]
    for number in found:
        for user in users[number]:
            left[user] -= 1
            if not left[user]:
                found.append(user)
    if len(found) < len(needs):
        raise ValueError("the actions need each other in a circle")
    return found


def critical_path(graph: Graph, seconds: Sequence[float]) -> list[int]:
    """The chain of actions that need each other which takes longest, first to last; `seconds` of each action."""
    needs = graph.needs()
    end = [0.0] * len(needs)
    before = [-1] * len(needs)
    for number in order(needs):
        last = max(needs[number], key=end.__getitem__, default=-1)
        before[number] = last
        end[number] = seconds[number] + (end[last] if last >= 0 else 0.0)
    if not end:
        return []
    path = [max(range(len(end)), key=end.__getitem__)]
    while before[path[-1]] >= 0:
        path.append(before[path[-1]])
    return path[::-1]


@dataclass(frozen=True)
class Filled:
    """A graph in which every action has seconds; how many were measured, and which mnemonics have what median."""

    graph: Graph
    measured: int
    guessed: Mapping[str, tuple[int, float]]


def fill(graph: Graph, seconds: Mapping[str, float]) -> Filled:
    """Give each action its measured seconds (by name), or else the median of its mnemonic's measured ones.

    Where nothing of a mnemonic was measured, it is the median of all. Raises ValueError when
    `seconds` has none of the graph's actions. `guessed` has mnemonic: (actions, seconds).
    """
    known: dict[str, list[float]] = {}
    for action in graph.actions:
        if action.name in seconds and not action.local:
            known.setdefault(action.mnemonic, []).append(seconds[action.name])
    if not known:
        raise ValueError("no action of the graph was measured")
    medians = {mnemonic: median(values) for mnemonic, values in known.items()}
    of_all = median(value for values in known.values() for value in values)
    actions = []
    guessed: dict[str, tuple[int, float]] = {}
    for action in graph.actions:
        taken = 0.0 if action.local else seconds.get(action.name)
        if taken is None:
            taken = medians.get(action.mnemonic, of_all)
            guessed[action.mnemonic] = (guessed.get(action.mnemonic, (0, 0.0))[0] + 1, taken)
        actions.append(replace(action, seconds=taken))
    return Filled(replace(graph, actions=tuple(actions)), sum(map(len, known.values())), guessed)


def prune(graph: Graph) -> Graph:
    """Only the actions that the requested blobs need; blobs keep their numbers."""
    wanted: set[int] = set()
    queue = [graph.blobs[blob].producer for blob in sorted(graph.requested)]
    needs = graph.needs()
    while queue:
        number = queue.pop()
        if number >= 0 and number not in wanted:
            wanted.add(number)
            queue += needs[number]
    kept = sorted(wanted)
    renumbered = {old: new for new, old in enumerate(kept)}
    blobs = tuple(replace(blob, producer=renumbered.get(blob.producer, -1)) for blob in graph.blobs)
    return Graph(tuple(graph.actions[number] for number in kept), blobs, graph.requested)
