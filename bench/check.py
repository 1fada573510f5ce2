"""Check the model against this machine: real farms with 1 and 2 workers, and the same simulated.

Client, server and workers are all on this machine, so the model is told that they share its cores,
and how many processes of other programs wanted them meanwhile. What the machinery costs comes from
builds other than the compared ones: forty actions that do nothing (cost of each action and hit), and
two other kernels (cost of each byte).
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.bazel import Bazel
from bench.local_farm import local_farm
from bench.machine import Others, family, table
from bench.model import profile
from bench.model.graph import Graph
from bench.model.grpc_log import traffic
from bench.model.simulate import Farm, simulate

TOLERANCE = 0.15
_EMPTY_ACTIONS = 40
# Loopback isn't what limits; the processor time of each byte is.
_LOOPBACK = 2e9
# The names of the processes of each part.
_PARTS = {
    "server": ("python3.11", "postgres", "redis-server"),
    "transfer": ("buildbox-casd",),
    "worker": ("buildbox-worker",),
}


@dataclass(frozen=True)
class Compared:
    """A real build and its simulation, in seconds."""

    workers: int
    real: float
    simulated: float
    others: float

    @property
    def error(self) -> float:
        """How far the simulation is off, as a share of the real time."""
        return self.simulated / self.real - 1

    @property
    def kept(self) -> bool:
        """Whether that is close enough; the 1e-9 is for rounding."""
        return abs(self.error) <= TOLERANCE + 1e-9

    def __str__(self) -> str:
        verdict = "ok" if self.kept else "MISSED"
        return (
            f"{self.workers} worker(s): real {self.real:7.1f} s, simulated {self.simulated:7.1f} s, "
            f"{self.error:+6.1%}; others wanted {self.others:.1f} processors; at most {TOLERANCE:.0%}  {verdict}"
        )


def share(cores: int, threads: float, others: float) -> float:
    """The part of a core that each of so many busy threads gets beside others."""
    return min(1.0, cores / (threads + others))


@dataclass(frozen=True)
class _Run:
    """A real build by a farm. cpu: processor seconds of the client and of each of _PARTS, children included."""

    seconds: float
    others: float
    cpu: Mapping[str, float]
    trace: Path
    log: Path


def _roots(bazels: Sequence[Bazel], state: Path) -> list[int]:
    files = [state / "lock", *(bazel.output / "server/server.pid.txt" for bazel in bazels)]
    return [int(file.read_text()) for file in files if file.exists()]


def _cpu(bazel: Bazel, state: Path) -> dict[str, float]:
    processes = table()
    farm = [processes[number] for number in family(processes, [int((state / "lock").read_text())])]
    client = processes[int((bazel.output / "server/server.pid.txt").read_text())]
    return {"client": client.seconds} | {
        part: sum(process.seconds for process in farm if process.name.startswith(names))
        for part, names in _PARTS.items()
    }


def _build(bazel: Bazel, state: Path, address: str, targets: Sequence[str], scratch: Path) -> _Run:
    trace, log = scratch / "profile.gz", scratch / "grpc.log"
    bazel.run("build", "--nobuild", "--symlink_prefix=/", *targets)
    bazel.run("clean")
    before = _cpu(bazel, state)
    options = ["--config=farm", f"--remote_executor={address}", f"--profile={trace}", *profile.OPTIONS]
    with Others(lambda: _roots([bazel], state)) as others:
        seconds = bazel.build(*options, f"--remote_grpc_log={log}", *targets)
    after = _cpu(bazel, state)
    return _Run(seconds, others.mean, {name: after[name] - before[name] for name in before}, trace, log)


def _empty_workspace(like: Bazel, folder: Path) -> Bazel:
    """A workspace of actions that do nothing, in Bazel's and the farm's eyes like ours."""
    folder.mkdir()
    shutil.copy(like.workspace / ".bazelversion", folder)
    # Without the settings of targets that aren't here.
    lines = (like.workspace / ".bazelrc").read_text().splitlines(keepends=True)
    (folder / ".bazelrc").write_text("".join(line for line in lines if "--//" not in line))
    (folder / "WORKSPACE").touch()
    # A moment of sleep, because a profile leaves out what takes no time.
    command = 'genrule(name = "{0}", outs = ["{0}.txt"], cmd = "sleep 0.05; echo {0} > $@")\n'
    (folder / "BUILD").write_text("".join(command.format(number) for number in range(_EMPTY_ACTIONS)))
    return Bazel(folder, folder.with_suffix(".output"), launcher=like.workspace / "bazelw")


def calibrate(bazel: Bazel, targets: Sequence[str], graph: Graph, cores: int, scratch: Path) -> Farm:
    """The farm of one worker here, from a build of actions that do nothing and one of these targets.

    `graph` is that of the targets, with seconds.
    """
    state = scratch / "calibration"
    empty = _empty_workspace(bazel, scratch / "empty")
    try:
        with local_farm(state, 1) as address:
            # The first action brings what all need.
            _build(empty, state, address, ["//:0"], scratch)
            run = _build(empty, state, address, [f"//:{number}" for number in range(1, _EMPTY_ACTIONS)], scratch)
            count = _EMPTY_ACTIONS - 1
            spans = sorted(
                (each.phases["process"] for each in profile.actions(profile.load(run.trace)).values()
                 if "process" in each.phases),
                key=lambda span: span.start,
            )  # fmt: skip
            hits = _build(empty, state, address, [f"//:{number}" for number in range(1, _EMPTY_ACTIONS)], scratch)
            gap = (spans[-1].end - spans[0].start - sum(span.seconds for span in spans)) / (count - 1)
            worker = run.cpu["worker"] / count
            farm = Farm(
                worker_bandwidth=_LOOPBACK,
                server_bandwidth=_LOOPBACK,
                client_bandwidth=_LOOPBACK,
                latency=0.0,
                # Between two actions a worker works, and waits: for the server, and until one of both looks for work.
                dispatch_seconds=max(0.0, gap * share(cores, 1, run.others) - worker),
                worker_seconds=worker,
                client_processors=float(cores),
                client_seconds=hits.cpu["client"] / count,
                server_seconds=hits.cpu["server"] / count,
                client_run_seconds=max(0.0, run.cpu["client"] - hits.cpu["client"]) / count,
                server_run_seconds=max(0.0, run.cpu["server"] - hits.cpu["server"]) / count,
                cores=cores,
            )
            # Java is slow at first; the compared builds are of a Bazel that has built before.
            _build(bazel, state, address, targets, scratch)
    finally:
        empty.run("shutdown")
    state = scratch / "bytes"
    with local_farm(state, 1) as address:
        run = _build(bazel, state, address, targets, scratch)
    outcome = simulate(graph, farm)
    moved = traffic(run.log)
    workers_bytes = outcome.served - outcome.uploaded - outcome.downloaded
    return replace(
        farm,
        client_byte=_rest(
            run.cpu["client"],
            (farm.client_seconds + farm.client_run_seconds) * outcome.executed,
            moved.read + moved.written,
        ),
        server_byte=_rest(
            run.cpu["server"], (farm.server_seconds + farm.server_run_seconds) * outcome.executed, outcome.served
        ),
        worker_byte=_rest(run.cpu["transfer"], 0.0, workers_bytes),
    )


def _rest(seconds: float, known: float, size: float) -> float:
    return max(0.0, seconds - known) / size if size else 0.0


def compare(bazel: Bazel, targets: Sequence[str], graph: Graph, farm: Farm, scratch: Path) -> list[Compared]:
    """Build these targets by real farms of 1 and 2 workers, cold, and simulate the same."""
    found = []
    for workers in (1, 2):
        state = scratch / f"farm-{workers}"
        with local_farm(state, workers) as address:
            run = _build(bazel, state, address, targets, scratch)
        simulated = simulate(graph, replace(farm, workers=workers, others=run.others)).seconds
        found.append(Compared(workers, run.seconds, simulated, run.others))
        print(found[-1], flush=True)
    return found


def describe(farm: Farm) -> str:
    """What was measured of the machinery."""
    return (
        f"the machinery, in processor time: each hit {farm.client_seconds:.3f} s of the client, "
        f"{farm.server_seconds:.3f} s of the server; each execution {farm.client_run_seconds:.3f} s more of the "
        f"client, {farm.server_run_seconds:.3f} s of the server, {farm.worker_seconds:.3f} s of the worker, "
        f"which waits {farm.dispatch_seconds:.3f} s; "
        f"each MB {farm.client_byte * 1e9:.1f} ms, {farm.server_byte * 1e9:.1f} ms, {farm.worker_byte * 1e9:.1f} ms"
    )


def unloaded(seconds: Mapping[str, float], cores: int, others: float) -> dict[str, float]:
    """What actions would take alone that were measured one by one while others wanted some processors."""
    part = share(cores, 1, others)
    return {name: value * part for name, value in seconds.items()}
