"""Read the graph of actions from `bazel aquery --output=jsonproto`.

Format: src/main/protobuf/analysis_v2.proto of Bazel. Source files that are in just the same
sets become one blob, so that thousands of files that go together are one thing.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.model.graph import Action, Blob, Graph


@dataclass(frozen=True)
class Read:
    """The graph, and how many outputs' sizes weren't known and are guessed."""

    graph: Graph
    guessed_sizes: int


def read(content: Mapping[str, Any], requested: Collection[str], size_of: Callable[[str], int | None]) -> Read:
    """The graph of an aquery's answer.

    requested: paths of the files that the user asked for. size_of: a path's bytes, None when it
    isn't there: an output then gets the median of the same output of its mnemonic's other actions.
    """
    return _Reader(content, requested, size_of).read()


class _Reader:
    def __init__(
        self, content: Mapping[str, Any], requested: Collection[str], size_of: Callable[[str], int | None]
    ) -> None:
        self._content = content
        self._requested = frozenset(requested)
        self._size_of = size_of
        self._fragments = {each["id"]: each for each in content.get("pathFragments", ())}
        self._folders: dict[int, str] = {}
        self._paths = {each["id"]: self._path(each["pathFragmentId"]) for each in content.get("artifacts", ())}
        self._sets = {each["id"]: each for each in content.get("depSetOfFiles", ())}
        self._flat: dict[int, frozenset[int]] = {}
        self._blobs: list[Blob] = []
        self._outputs: dict[int, int] = {}  # artifact: its blob
        self._sources: dict[int, int] = {}

    def _path(self, fragment: int) -> str:
        found = self._folders.get(fragment)
        if found is None:
            each = self._fragments[fragment]
            parent = each.get("parentId")
            found = f"{self._path(parent)}/{each['label']}" if parent else each["label"]
            self._folders[fragment] = found
        return found

    def read(self) -> Read:
        actions = self._content.get("actions", ())
        guessed = self._number_outputs(actions)
        self._number_sources()
        requested = frozenset(blob for each, blob in self._outputs.items() if self._paths[each] in self._requested)
        found = []
        for action in actions:
            inputs: set[int] = set()
            for number in action.get("inputDepSetIds", ()):
                inputs |= self._blobs_of(number)
            outputs = action["outputIds"]
            found.append(
                Action(
                    self._paths[action.get("primaryOutputId", outputs[0])],
                    action["mnemonic"],
                    None,
                    tuple(sorted(inputs)),
                    tuple(self._outputs[each] for each in outputs),
                    # What has no command line (a file that Bazel writes, a link) is done by the client itself.
                    local=not action.get("arguments"),
                )
            )
        return Read(Graph(tuple(found), tuple(self._blobs), requested), guessed)

    def _number_outputs(self, actions: Collection[Mapping[str, Any]]) -> int:
        sizes: dict[int, int | None] = {}
        known: dict[tuple[str, int], list[int]] = {}
        for action in actions:
            for place, artifact in enumerate(action["outputIds"]):
                size = sizes[artifact] = self._size_of(self._paths[artifact])
                if size is not None:
                    known.setdefault((action["mnemonic"], place), []).append(size)
        guessed = 0
        for number, action in enumerate(actions):
            for place, artifact in enumerate(action["outputIds"]):
                size = sizes[artifact]
                if size is None:
                    guessed += 1
                    size = int(median(known.get((action["mnemonic"], place), [0])))
                self._outputs[artifact] = len(self._blobs)
                self._blobs.append(Blob(size, 1, number))
        return guessed

    def _blobs_of(self, number: int) -> frozenset[int]:
        """The blobs of a set of files and of the sets in it. (Sets are nested deeper than Python's stack is.)"""
        waiting = [number]
        while waiting:
            current = waiting[-1]
            if current in self._flat:
                waiting.pop()
                continue
            inner = self._sets[current].get("transitiveDepSetIds", ())
            if missing := [each for each in inner if each not in self._flat]:
                waiting += missing
                continue
            self._flat[current] = frozenset().union(self._own_blobs(current), *(self._flat[each] for each in inner))
            waiting.pop()
        return self._flat[number]

    def _own_blobs(self, number: int) -> frozenset[int]:
        return frozenset(
            self._outputs[artifact] if artifact in self._outputs else self._sources[artifact]
            for artifact in self._sets[number].get("directArtifactIds", ())
        )

    def _number_sources(self) -> None:
        sets: dict[int, list[int]] = {}
        for number, each in self._sets.items():
            for artifact in each.get("directArtifactIds", ()):
                if artifact not in self._outputs:
                    sets.setdefault(artifact, []).append(number)
        together: dict[tuple[int, ...], list[int]] = {}
        for artifact, numbers in sets.items():
            together.setdefault(tuple(numbers), []).append(artifact)
        for artifacts in together.values():
            for artifact in artifacts:
                self._sources[artifact] = len(self._blobs)
            size = sum(self._size_of(self._paths[artifact]) or 0 for artifact in artifacts)
            self._blobs.append(Blob(size, len(artifacts)))
