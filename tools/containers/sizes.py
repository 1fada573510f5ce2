"""How large an image is, by layer: reports, comparisons with another build, budgets.

A size report is JSON: {"image": NAME, "layers": [{"name": ..., "size": BYTES, "uncompressed": BYTES}, ...]}. `size` is
what a registry stores and a pull moves, `uncompressed` the tar (0 for layers of a pulled base, whose lock doesn't say).
A layer that was joined of packages comes as those, so every package has its own size.
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.containers.layer import Metadata
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.markdown import table

MEGABYTE = 1_000_000
_BIGGEST = 10  # as many layers are listed when a budget is exceeded


@dataclass(frozen=True)
class LayerSize:
    """A layer or a package; sizes in bytes."""

    name: str
    size: int
    uncompressed: int


@dataclass(frozen=True)
class Report:
    """An image's layers, lowest first."""

    image: str
    layers: Sequence[LayerSize]

    @property
    def total(self) -> LayerSize:
        """All layers together."""
        size = sum(layer.size for layer in self.layers)
        return LayerSize("total", size, sum(layer.uncompressed for layer in self.layers))

    def to_json(self) -> str:
        """The report's text."""
        return json.dumps({"image": self.image, "layers": [asdict(layer) for layer in self.layers]}, indent=2) + "\n"


def layer_sizes(layer: Metadata) -> list[LayerSize]:
    """The size of a layer, or of each of the packages that it was joined of."""
    if layer.parts:
        return [LayerSize(**part) for part in layer.parts]
    return [LayerSize(layer.name, layer.size, layer.uncompressed)]


def read_report(path: Path) -> Report:
    """Read a report. Raises UserError when the file isn't one."""
    try:
        content = json.loads(path.read_text())
        return Report(content["image"], [LayerSize(**layer) for layer in content["layers"]])
    except OSError as error:
        raise UserError(f"{path}: cannot read: {error.strerror}; give a NAME.sizes.json of another build") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a size report; give a NAME.sizes.json of another build") from error


def _mb(size: int) -> str:
    return f"{size / MEGABYTE:.2f}"


def describe(report: Report, largest: int | None = None) -> str:
    """The layers as a table, biggest first, with their sum."""
    layers = sorted(report.layers, key=lambda layer: (-layer.size, layer.name))
    lines = [(layer.name, _mb(layer.size), _mb(layer.uncompressed)) for layer in [*layers[:largest], report.total]]
    return table([("layer", "MB", "MB unpacked"), *lines])


def compare(old: Report, new: Report) -> str:
    """What differs between two builds, as a table, and the sums."""
    before, after = ({layer.name: layer.size for layer in report.layers} for report in (old, new))
    lines = []
    for name in sorted({*before, *after}, key=lambda name: (before.get(name, 0) - after.get(name, 0), name)):
        was, now = before.get(name, 0), after.get(name, 0)
        if was != now:
            lines.append((name, _mb(was), _mb(now), f"{(now - was) / MEGABYTE:+.2f}"))
    was, now = old.total.size, new.total.size
    lines.append(("total", _mb(was), _mb(now), f"{(now - was) / MEGABYTE:+.2f}"))
    return table([("layer", "MB before", "MB now", "difference"), *lines])


def check_budget(report: Report, megabytes: int) -> None:
    """Raise UserError with what is big if the compressed layers are larger than `megabytes`; 0 is no limit."""
    if megabytes and report.total.size > megabytes * MEGABYTE:
        raise UserError(
            f"{report.image}: {_mb(report.total.size)} MB, and `budget_mb` is {megabytes}; make it smaller, or raise "
            f"the budget. The biggest layers:\n{describe(report, _BIGGEST)}"
        )


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="size", description=__doc__.partition("\n")[0])
    parser.add_argument("report", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("other", nargs="?", type=Path, help="the NAME.sizes.json of another build, to compare with")
    options = parser.parse_args(arguments)
    report = read_report(options.report)
    if options.other:
        # `bazel run` starts this in the runfiles.
        other = Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), options.other)
        print(compare(read_report(other), report), end="")
    else:
        print(describe(report), end="")
    return 0


if __name__ == "__main__":
    run(main)
