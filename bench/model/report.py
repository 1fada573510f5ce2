"""The model's results as text: tables, and a plot for the terminal."""

import math
from collections.abc import Mapping, Sequence

from bench.model.graph import Filled, critical_path
from bench.model.simulate import Outcome

_MARKS = "ox+*#%@&"


def describe(filled: Filled, guessed_sizes: int) -> str:
    """What the graph is, what of it was measured, and what is guessed."""
    actions = [action for action in filled.graph.actions if not action.local]
    total = sum(action.seconds or 0.0 for action in actions)
    lines = [f"actions: {len(actions)}, together {total:.0f} s; {filled.measured} measured"]
    for mnemonic, (count, seconds) in sorted(filled.guessed.items()):
        if seconds:
            lines.append(f"  not measured: {count} of {mnemonic}, taken as {seconds:.2f} s each, the measured median")
    if guessed_sizes:
        lines.append(f"  outputs of unknown size: {guessed_sizes}, taken as the median of the same output")
    return "\n".join(lines)


def path_table(filled: Filled) -> str:
    """The critical path: its actions with their seconds."""
    seconds = [action.seconds or 0.0 for action in filled.graph.actions]
    path = critical_path(filled.graph, seconds)
    lines = [f"critical path: {sum(seconds[number] for number in path):.1f} s in {len(path)} actions"]
    for number in path:
        action = filled.graph.actions[number]
        lines.append(f"  {seconds[number]:8.2f} s  {action.mnemonic:<20} {action.name}")
    return "\n".join(lines)


def curve_table(rate: float, outcomes: Mapping[int, Outcome]) -> str:
    """One hit rate: workers, seconds, speed-up against the fewest workers, and what holds the build up."""
    first = next(iter(outcomes.values()))
    lines = [
        f"cache hits {rate * 100:g} %: {first.executed} actions to execute",
        "  workers    seconds  speed-up   busy  held up most by (its bound)",
    ]
    for workers, outcome in outcomes.items():
        speed = first.seconds / outcome.seconds if outcome.seconds else 1.0
        bound = outcome.bounds[outcome.bottleneck]
        lines.append(
            f"  {workers:7} {outcome.seconds:10.1f} {speed:9.2f} {outcome.busy:6.0%}  "
            f"{outcome.bottleneck} ({bound:.1f} s)"
        )
    return "\n".join(lines)


def next_bottleneck(outcomes: Mapping[int, Outcome]) -> str:
    """Up to how many workers it is the workers, and what it is from then on."""
    last = ""
    parts: list[str] = []
    for workers, outcome in outcomes.items():
        if outcome.bottleneck != last:
            last = outcome.bottleneck
            parts.append(f"{outcome.bottleneck} from {workers}" if parts else outcome.bottleneck)
    return "next bottleneck: " + ", then ".join(parts) + (" workers" if len(parts) > 1 else "")


def plot(curves: Mapping[str, Sequence[tuple[float, float]]], width: int = 64, height: int = 18) -> str:
    """Curves of positive (x, y) on two logarithmic axes, for a terminal; a mark for each curve."""
    points = [point for curve in curves.values() for point in curve]
    low_x, high_x = min(x for x, _ in points), max(x for x, _ in points)
    low_y, high_y = min(y for _, y in points), max(y for _, y in points)
    grid = [[" "] * width for _ in range(height)]

    def place(value: float, low: float, high: float, cells: int) -> int:
        return round(math.log(value / low) / math.log(high / low) * (cells - 1)) if high > low else 0

    for mark, curve in zip(_MARKS, curves.values(), strict=False):
        for x, y in curve:
            grid[height - 1 - place(y, low_y, high_y, height)][place(x, low_x, high_x, width)] = mark
    lines = []
    for number, row in enumerate(grid):
        value = low_y * (high_y / low_y) ** ((height - 1 - number) / (height - 1))
        label = f"{value:8.1f}" if number % 4 == 0 or number == height - 1 else " " * 8
        lines.append(f"{label} |{''.join(row)}".rstrip())
    lines.append(" " * 9 + "+" + "-" * width)
    lines.append(f"{' ' * 10}{low_x:<{width // 2}g}{high_x:>{width - width // 2}g}  workers")
    lines.append(" " * 10 + "   ".join(f"{mark} {name}" for mark, name in zip(_MARKS, curves, strict=False)))
    return "\n".join(lines)
