"""The parts of bench/farm that need no farm."""

from pathlib import Path

import pytest

from bench.bazel import kernels
from bench.bound import Bound
from bench.farm import how_executed, main
from tools.lib.errors import UserError


def test_bounds() -> None:
    assert Bound("a", 1.25, 1.25).kept
    missed = Bound("no-op", 1.6, 1.5, "s")
    assert not missed.kept
    assert str(missed).split() == ["no-op", "1.60", "s", "at", "most", "1.50", "s", "MISSED"]


def test_how_executed(tmp_path: Path) -> None:
    events = tmp_path / "events.json"
    counts = '{"name": "total", "count": 9}, {"name": "remote", "count": 5}, {"name": "internal", "count": 4}'
    events.write_text(f'{{"started": {{}}}}\n{{"buildMetrics": {{"actionSummary": {{"runnerCount": [{counts}]}}}}}}\n')
    assert how_executed(events) == {"remote": 5}
    events.write_text('{"started": {}}\n')
    with pytest.raises(UserError, match="no metrics"):
        how_executed(events)


def test_kernels_are_spread_over_the_catalogue(tmp_path: Path) -> None:
    (tmp_path / "kernels").mkdir()
    entries = ", ".join(f'{{"release": "{number}"}}' for number in range(6))
    (tmp_path / "kernels/catalogue.json").write_text(
        f'{{"kernels": [{entries}, {{"release": "gone", "missing": true}}]}}'
    )
    assert kernels(tmp_path, 3) == ["//kernels:0", "//kernels:2", "//kernels:4"]
    assert len(kernels(tmp_path, 100)) == 6


@pytest.mark.parametrize("word", ["none", "0", "-1", "1.5"])
def test_mistakes(word: str) -> None:
    with pytest.raises(UserError, match="expected all, or how many"):
        main([f"--kernels={word}"])
