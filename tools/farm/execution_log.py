"""What Bazel's execution log says of actions, and how two builds of the same differ.

Source of the format: src/main/protobuf/spawn.proto of Bazel, SpawnExec as JSON objects one after the
other (--execution_log_json_file).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Action:
    """One action that was executed, or whose result came from a cache.

    inputs: a digest of all its inputs' paths and contents, its words and its environment.
    outputs: SHA-256 of each file that it left, by path.
    hit: whether the result came from the remote cache.
    """

    target: str
    mnemonic: str
    inputs: str
    outputs: Mapping[str, str]
    hit: bool


@dataclass(frozen=True)
class Difference:
    """An action whose cached files aren't those of this machine; `files` says which."""

    action: Action
    files: tuple[str, ...]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    text = text.rstrip()
    place = 0
    while place < len(text):
        while text[place].isspace():
            place += 1
        content, place = decoder.raw_decode(text, place)
        yield content


def _files(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    # A link that leads nowhere and an empty folder have no digest.
    return {entry["path"]: entry.get("digest", {}).get("hash", "") for entry in entries}


def read_log(path: Path) -> dict[tuple[str, ...], Action]:
    """The actions of a log by the outputs that they declare, which no two actions of a build share."""
    found = {}
    for content in _objects(path.read_text()):
        inputs = [sorted(_files(content.get("inputs", [])).items()), content.get("commandArgs", [])]
        inputs.append(sorted((pair["name"], pair["value"]) for pair in content.get("environmentVariables", [])))
        found[tuple(content.get("listedOutputs", []))] = Action(
            content.get("targetLabel", ""),
            content.get("mnemonic", ""),
            hashlib.sha256(json.dumps(inputs).encode()).hexdigest(),
            _files(content.get("actualOutputs", [])),
            content.get("runner") == "remote cache hit",
        )
    return found


def differences(
    cached: Mapping[tuple[str, ...], Action], rebuilt: Mapping[tuple[str, ...], Action]
) -> tuple[int, list[Difference]]:
    """How many cached results could be compared, and those that this machine makes differently.

    An action that got other inputs, from one that differs before it, can't be compared.
    """
    compared, found = 0, []
    for place, action in cached.items():
        own = rebuilt.get(place)
        if not action.hit or own is None or own.inputs != action.inputs:
            continue
        compared += 1
        paths = sorted(action.outputs.keys() | own.outputs.keys())
        if files := tuple(path for path in paths if action.outputs.get(path) != own.outputs.get(path)):
            found.append(Difference(action, files))
    return compared, found
