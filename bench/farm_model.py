"""Simulate the build of all kernels by farms of 1 to 1,000 workers, from the real graph of actions.

The graph comes from `bazel aquery`, sizes from the built files, durations from the profile of a cold
local build of some kernels, made now; actions that it doesn't have get the median of their mnemonic.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.bazel import Bazel, busy, kernels
from bench.model import aquery, profile, report
from bench.model.graph import Filled, fill, prune
from bench.model.simulate import Farm, simulate
from tools.lib.cli import run
from tools.lib.errors import UserError

_WORKERS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_HIT_RATES = (0.0, 0.5, 0.9, 0.99)


def read_graph(bazel: Bazel, targets: str) -> aquery.Read:
    """The graph that a build of these targets runs, `manual` ones left out as a build does."""
    # First the list: the universe of cquery and aquery is every target of a pattern, `manual` ones too.
    listed = bazel.run("query", f'({targets}) except attr("tags", "\\bmanual\\b", {targets})').split()
    chosen = "set({})".format(" ".join(f'"{label}"' for label in listed))
    requested = bazel.run("cquery", "--output=files", chosen).split("\n")
    content = json.loads(bazel.run("aquery", "--output=jsonproto", f"deps({chosen})"))
    base = bazel.execution_root()

    def size_of(path: str) -> int | None:
        try:
            return (base / path).stat().st_size
        except OSError:
            return None

    found = aquery.read(content, requested, size_of)
    return replace(found, graph=prune(found.graph))


def measure(bazel: Bazel, targets: Sequence[str], trace: Path) -> float:
    """A cold local build whose profile goes to `trace`; its seconds."""
    bazel.run("build", "--nobuild", "--symlink_prefix=/", *targets)
    bazel.run("clean")
    print(busy(), file=sys.stderr)
    return bazel.build(f"--profile={trace}", *profile.OPTIONS, *targets)


def show(filled: Filled, guessed_sizes: int, farm: Farm, workers: Sequence[int], rates: Sequence[float]) -> None:
    """Simulate every farm and print it all."""
    print(report.describe(filled, guessed_sizes))
    print(report.path_table(filled))
    curves = {}
    for rate in rates:
        outcomes = {count: simulate(filled.graph, replace(farm, workers=count, hit_rate=rate)) for count in workers}
        print(f"\n{report.curve_table(rate, outcomes)}\n  {report.next_bottleneck(outcomes)}", flush=True)
        first = next(iter(outcomes.values())).seconds
        curves[f"{rate * 100:g} % hits"] = [
            (count, first / outcome.seconds) for count, outcome in outcomes.items() if outcome.seconds
        ]
    print(f"\nspeed-up against {workers[0]} worker(s):\n{report.plot(curves)}")


def _numbers(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(word) for word in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"expected numbers of workers such as 1,10,100, got {text!r}")
    return found


def _rates(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(word) / 100 for word in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 <= rate <= 1 for rate in found):
        raise argparse.ArgumentTypeError(f"expected percentages such as 0,50,99, got {text!r}")
    return found


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench/farm_model", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")))
    parser.add_argument("--targets", default="//kernels:all", help="whose graph to simulate")
    parser.add_argument("--measure", type=int, default=10, metavar="N", help="kernels to build for the durations")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="a profile with durations, instead of building")
    parser.add_argument("--workers", type=_numbers, default=_WORKERS, metavar="N,N", help="farms to simulate")
    parser.add_argument("--hits", type=_rates, default=_HIT_RATES, metavar="%,%", help="cache hit rates in percent")
    parser.add_argument("--slots", type=int, default=1, metavar="N", help="actions at once on a worker")
    parser.add_argument("--jobs", type=int, default=2000, metavar="N", help="the client's --jobs")
    parser.add_argument("--worker-mbit", type=_positive, default=1000.0, metavar="N", help="a worker's link, each way")
    parser.add_argument("--server-mbit", type=_positive, default=10000.0, metavar="N", help="the server's link")
    parser.add_argument("--client-mbit", type=_positive, default=1000.0, metavar="N", help="the client's link")
    parser.add_argument("--latency-ms", type=_positive, default=0.5, metavar="N", help="one way, between any two")
    parser.add_argument("--cores", type=int, default=0, metavar="N", help="all on one machine with so many; 0: not")
    return parser


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    options = _parser().parse_args(arguments)
    if min(options.slots, options.jobs, options.measure) < 1 or options.cores < 0:
        raise UserError("--slots, --jobs and --measure must be 1 or more, and --cores 0 or more")
    farm = Farm(
        slots=options.slots,
        jobs=options.jobs,
        worker_bandwidth=options.worker_mbit * 125e3,
        server_bandwidth=options.server_mbit * 125e3,
        client_bandwidth=options.client_mbit * 125e3,
        latency=options.latency_ms / 1000,
        cores=options.cores,
    )
    workspace = options.workspace.resolve()
    with tempfile.TemporaryDirectory(prefix="forge-model.") as folder:
        bazel = Bazel(workspace, Path(folder, "output"))
        try:
            trace = options.profile or Path(folder, "profile.gz")
            if not options.profile:
                measure(bazel, kernels(workspace, options.measure), trace)
            found = read_graph(bazel, options.targets)
            if not found.graph.actions:
                raise UserError(f"{options.targets}: no target of it builds anything")
            try:
                filled = fill(found.graph, profile.seconds(profile.load(trace)))
            except ValueError as error:
                raise UserError(f"{trace}: {error}; it must be of a build that executed some of them") from error
        finally:
            bazel.run("shutdown")
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    show(filled, found.guessed_sizes, farm, options.workers, options.hits)
    return 0


if __name__ == "__main__":
    run(main)
