"""Simulate the build of all kernels by farms of 1 to 1,000 workers, from the real graph of actions.

The graph comes from `bazel aquery`, sizes from the built files, durations from the profile of a cold
local build of some kernels, made now; actions that it doesn't have get the median of their mnemonic.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench import check
from bench.bazel import LIKE_A_FARM, Bazel, kernels
from bench.machine import Others
from bench.model import aquery, profile, report
from bench.model.graph import Filled, Graph, fill, prune
from bench.model.simulate import Farm, simulate
from tools.lib.cli import run
from tools.lib.errors import UserError

_WORKERS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_CALM = 0.2  # processors that others may want without a word
_HIT_RATES = (0.0, 0.5, 0.9, 0.99)


def listed(bazel: Bazel, targets: str) -> list[str]:
    """The targets of a pattern without `manual` ones, which a build leaves out and a query doesn't."""
    return bazel.run("query", f'({targets}) except attr("tags", "\\bmanual\\b", {targets})').split()


def read_graph(bazel: Bazel, targets: Sequence[str]) -> aquery.Read:
    """The graph that a build of these targets runs."""
    chosen = "set({})".format(" ".join(f'"{label}"' for label in targets))
    requested = bazel.run("cquery", *LIKE_A_FARM, "--output=files", chosen).split("\n")
    content = json.loads(bazel.run("aquery", *LIKE_A_FARM, "--output=jsonproto", f"deps({chosen})"))
    base = bazel.execution_root()

    def size_of(path: str) -> int | None:
        try:
            return (base / path).stat().st_size
        except OSError:
            return None

    found = aquery.read(content, requested, size_of)
    return replace(found, graph=prune(found.graph))


def measure(bazel: Bazel, targets: Sequence[str], trace: Path) -> dict[str, float]:
    """A cold local build, one action at a time; the seconds of a free core that each action takes."""
    cores = os.cpu_count() or 1
    bazel.run("build", "--nobuild", "--symlink_prefix=/", *LIKE_A_FARM, *targets)
    bazel.run("clean")
    server = bazel.output / "server/server.pid.txt"
    with Others(lambda: [int(server.read_text())]) as others:
        # As a farm's worker does it: each action by itself, not by a process that has everything ready.
        bazel.build(
            *LIKE_A_FARM,
            f"--profile={trace}",
            "--jobs=1",
            "--strategy_regexp=.*=linux-sandbox",
            *profile.OPTIONS,
            *targets,
        )
    if others.mean > _CALM:
        print(f"other programs wanted {others.mean:.1f} processors; that share is taken off the durations")
    return check.unloaded(profile.seconds(profile.load(trace)), cores, others.mean)


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
    parser.add_argument("--check", action="store_true", help="compare with real farms of 1 and 2 workers instead")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="a folder with room for output bases and caches")
    parser.add_argument("--workers", type=_numbers, default=_WORKERS, metavar="N,N", help="farms to simulate")
    parser.add_argument("--hits", type=_rates, default=_HIT_RATES, metavar="%,%", help="cache hit rates in percent")
    parser.add_argument("--slots", type=int, default=1, metavar="N", help="actions at once on a worker")
    parser.add_argument("--jobs", type=int, default=2000, metavar="N", help="the client's --jobs")
    parser.add_argument("--worker-mbit", type=_positive, default=1000.0, metavar="N", help="a worker's link, each way")
    parser.add_argument("--server-mbit", type=_positive, default=10000.0, metavar="N", help="the server's link")
    parser.add_argument("--client-mbit", type=_positive, default=1000.0, metavar="N", help="the client's link")
    parser.add_argument("--latency-ms", type=_positive, default=0.5, metavar="N", help="one way, between any two")
    # By default what --check measured of Bazel, BuildGrid and buildbox (docs/benchmarks.md).
    parser.add_argument("--client-processors", type=_positive, default=4.0, metavar="N", help="the client's")
    parser.add_argument("--client-ms", type=_positive, default=41.0, metavar="N", help="its time per action or hit")
    parser.add_argument("--client-run-ms", type=_positive, default=37.0, metavar="N", help="and more per execution")
    parser.add_argument("--server-ms", type=_positive, default=5.0, metavar="N", help="the server's per action or hit")
    parser.add_argument("--server-run-ms", type=_positive, default=116.0, metavar="N", help="and more per execution")
    parser.add_argument("--worker-ms", type=_positive, default=34.0, metavar="N", help="a worker's per execution")
    parser.add_argument("--dispatch-ms", type=_positive, default=327.0, metavar="N", help="until a worker hears of it")
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
        client_processors=options.client_processors,
        client_seconds=options.client_ms / 1000,
        server_seconds=options.server_ms / 1000,
        client_run_seconds=options.client_run_ms / 1000,
        server_run_seconds=options.server_run_ms / 1000,
        worker_seconds=options.worker_ms / 1000,
        dispatch_seconds=options.dispatch_ms / 1000,
        cores=options.cores,
    )
    workspace = options.workspace.resolve()
    with tempfile.TemporaryDirectory(prefix="forge-model.", dir=options.scratch) as folder:
        bazel = Bazel(workspace, Path(folder, "output"))
        try:
            if options.check:
                return _check(bazel, options.measure, Path(folder))
            if options.profile:
                seconds = profile.seconds(profile.load(options.profile))
            else:
                seconds = measure(bazel, kernels(workspace, options.measure), Path(folder, "profile.gz"))
            found = read_graph(bazel, listed(bazel, options.targets))
        finally:
            bazel.run("shutdown")
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    if not found.graph.actions:
        raise UserError(f"{options.targets}: no target of it builds anything")
    show(_fill(found.graph, seconds), found.guessed_sizes, farm, options.workers, options.hits)
    return 0


def _fill(graph: Graph, seconds: Mapping[str, float]) -> Filled:
    try:
        return fill(graph, seconds)
    except ValueError as error:
        raise UserError(
            f"{error}; the profile must be of a build that executed some of them, without a cache"
        ) from error


def _check(bazel: Bazel, count: int, scratch: Path) -> int:
    """Compare the model with real farms; 0 when it is close enough."""
    cores = os.cpu_count() or 1
    print(f"client, server and workers share this machine's {cores} cores, in the model as well", flush=True)
    chosen = kernels(bazel.workspace, count + 2)
    others, targets = chosen[-2:], chosen[:-2]
    seconds = measure(bazel, chosen, scratch / "profile.gz")
    known = {
        name: _fill(read_graph(bazel, each).graph, seconds).graph for name, each in (("c", others), ("t", targets))
    }
    farm = check.calibrate(bazel, others, known["c"], cores, scratch)
    print(check.describe(farm), flush=True)
    compared = check.compare(bazel, targets, known["t"], farm, scratch)
    return 0 if all(each.kept for each in compared) else 1


if __name__ == "__main__":
    run(main)
