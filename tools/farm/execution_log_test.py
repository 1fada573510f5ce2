"""Two builds' logs are compared action by action."""

import json
from pathlib import Path
from typing import Any

from tools.farm.execution_log import differences, read_log


def entry(name: str, output: str, given: str = "in", runner: str = "remote cache hit") -> dict[str, Any]:
    """An action that reads one file and writes one."""
    return {
        "commandArgs": ["make", name],
        "environmentVariables": [{"name": "PATH", "value": "/bin"}],
        "inputs": [{"path": "source", "digest": {"hash": given}}, {"path": "link"}],
        "listedOutputs": [f"out/{name}"],
        "actualOutputs": [{"path": f"out/{name}", "digest": {"hash": output}}],
        "mnemonic": "Make",
        "targetLabel": f"//:{name}",
        "runner": runner,
    }


def log(path: Path, *entries: dict[str, Any]) -> Path:
    """Write a log as Bazel does."""
    path.write_text("".join(json.dumps(content, indent=2) for content in entries) + "\n")
    return path


def test_what_differs_is_named_once(tmp_path: Path) -> None:
    cached = [
        entry("same", "1"),
        entry("changed", "2"),
        entry("after", "3", given="from changed"),
        entry("missed", "4", runner="linux-sandbox"),
    ]
    own = [
        entry("same", "1", runner="linux-sandbox"),
        entry("changed", "22", runner="linux-sandbox"),
        entry("after", "33", given="from another", runner="linux-sandbox"),
        entry("missed", "44", runner="linux-sandbox"),
    ]
    first, second = read_log(log(tmp_path / "1", *cached)), read_log(log(tmp_path / "2", *own))
    compared, found = differences(first, second)
    assert compared == 2
    assert [(item.action.target, item.files) for item in found] == [("//:changed", ("out/changed",))]


def test_a_file_more_is_a_difference(tmp_path: Path) -> None:
    more = entry("a", "1", runner="linux-sandbox")
    more["actualOutputs"] = [*more["actualOutputs"], {"path": "out/more", "digest": {"hash": "5"}}]
    logs = read_log(log(tmp_path / "1", entry("a", "1"))), read_log(log(tmp_path / "2", more))
    assert [item.files for item in differences(*logs)[1]] == [("out/more",)]


def test_other_words_are_another_action(tmp_path: Path) -> None:
    other = entry("a", "2")
    other["commandArgs"] = ["make", "a", "--harder"]
    assert differences(read_log(log(tmp_path / "1", entry("a", "1"))), read_log(log(tmp_path / "2", other))) == (0, [])


def test_nothing_was_executed(tmp_path: Path) -> None:
    assert read_log(log(tmp_path / "1")) == {}
