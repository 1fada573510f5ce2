"""The model's tables and its plot."""

from bench.model.graph import Action, Filled, Graph
from bench.model.report import curve_table, describe, next_bottleneck, path_table, plot
from bench.model.simulate import Outcome

FILLED = Filled(
    Graph((Action("out/a", "Gen", 2.0), Action("out/b", "Use", 3.5), Action("out/n", "Note", 0.0, local=True)), ()),
    1,
    {"Use": (1, 3.5), "Note": (1, 0.0)},
)


def outcome(seconds: float, bottleneck: str) -> Outcome:
    """A build that took so long because of that."""
    return Outcome(seconds, {"workers": seconds / 4, bottleneck: seconds / 2}, 12, 0.0, 0.0, 0.0, 0.5)


def test_what_was_guessed_is_said() -> None:
    assert describe(FILLED, 3).splitlines() == [
        "actions: 2, together 6 s; 1 measured",
        "  not measured: 1 of Use, taken as 3.50 s each, the measured median",
        "  outputs of unknown size: 3, taken as the median of the same output",
    ]


def test_path() -> None:
    assert path_table(FILLED).splitlines() == [
        "critical path: 3.5 s in 1 actions",
        "      3.50 s  Use                  out/b",
    ]


def test_curve() -> None:
    outcomes = {1: outcome(100.0, "workers"), 10: outcome(10.0, "workers"), 100: outcome(8.0, "critical path")}
    lines = curve_table(0.5, outcomes).splitlines()
    assert lines[0] == "cache hits 50 %: 12 actions to execute"
    assert lines[-1].split() == ["100", "8.0", "12.50", "50%", "critical", "path", "(4.0", "s)"]
    assert next_bottleneck(outcomes) == "next bottleneck: workers, then critical path from 100 workers"
    assert next_bottleneck({1: outcome(1.0, "workers")}) == "next bottleneck: workers"


def test_plot() -> None:
    lines = plot({"a": [(1, 1), (10, 10), (100, 100)], "b": [(1, 1), (100, 1)]}, width=21, height=5).splitlines()
    assert lines[0] == "   100.0 |                    o"
    assert lines[2] == "         |          o"
    assert lines[4] == "     1.0 |x                   x"
    assert lines[-2].split() == ["1", "100", "workers"]
    assert lines[-1].split() == ["o", "a", "x", "b"]
    # One point, or a flat curve, is no mistake.
    assert "o" in plot({"a": [(1, 1)]})
