"""What each action took, from events of a profile's form."""

import gzip
import json
from pathlib import Path

import pytest

from bench.model.profile import actions, load, seconds
from tools.lib.errors import UserError


def event(name: str, category: str, start: float, length: float, thread: int, **more: str) -> dict[str, object]:
    """A complete event; times in seconds."""
    return {"name": name, "cat": category, "ph": "X", "ts": start * 1e6, "dur": length * 1e6, "tid": thread, **more}


CONTENT = {
    "traceEvents": [
        {"name": "thread_name", "ph": "M", "tid": 1, "args": {"name": "x"}},
        event("Building a", "action processing", 1.0, 5.0, 1, out="out/a"),
        event("sandbox.createInputs", "general information", 1.0, 0.5, 1),
        event("subprocess.run", "general information", 1.5, 4.0, 1),
        event("Building b", "action processing", 6.0, 1.0, 1, out="out/b"),
        event("Building c", "action processing", 2.0, 6.0, 2, out="out/c"),
        event("queue", "Remote execution queuing time", 2.5, 1.0, 2),
        event("execute", "Remote execution process wall time", 4.0, 3.0, 2),
        event("subprocess.run", "general information", 9.0, 4.0, 2),
        event("Building d", "action processing", 20.0, 2.0, 2, out="out/d"),
        event("Worker #1 working", "waiting for response from worker", 20.5, 1.0, 2),
    ]
}


def test_seconds_of_the_processes() -> None:
    # b was a hit: it has no process.
    assert seconds(CONTENT) == {"out/a": pytest.approx(4.0), "out/c": pytest.approx(3.0), "out/d": pytest.approx(1.0)}


def test_phases() -> None:
    found = actions(CONTENT)["out/c"]
    assert found.whole.seconds == pytest.approx(6.0)
    assert set(found.phases) == {"queue", "process"}
    assert found.phases["queue"].seconds == pytest.approx(1.0)


def test_load(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "profile.gz", "wt") as stream:
        json.dump(CONTENT, stream)
    assert load(tmp_path / "profile.gz") == CONTENT


@pytest.mark.parametrize("text", ["", "{", "[]", '{"other": 1}'])
def test_not_a_profile(tmp_path: Path, text: str) -> None:
    path = tmp_path / "profile.json"
    path.write_text(text)
    with pytest.raises(UserError, match="not a profile"):
        load(path)
    with pytest.raises(UserError, match="not a profile"):
        load(tmp_path / "none.gz")
