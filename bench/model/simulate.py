"""Simulate one build by a farm.

An action's life, as Bazel, BuildGrid and buildbox do it:

1. When all that it needs is done, it waits for one of the client's `jobs`. The client works on it
   (digests, protocol) and asks the action cache. A local action ends here.
2. A hit is done, after the download of what the user asked for.
3. Otherwise the client uploads the sources that the server lacks; who needs a blob that is
   on its way waits for it. Then the action joins the server's queue: first come, first served.
4. The worker slot that has been idle longest takes it, after `dispatch_seconds`; it downloads
   the inputs that its worker doesn't have yet, stages them, runs, uploads the outputs.
5. The client learns of it and downloads what the user asked for.
"""

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from hashlib import blake2b

from bench.model.events import PAUSE, Clock, Process, Request, Shared
from bench.model.graph import Graph, critical_path


@dataclass(frozen=True)
class Farm:
    """A farm and its client. Bandwidths in bytes a second each way, times in seconds.

    slots: actions at once on one worker.
    latency: one way, between any two machines.
    jobs: actions that the client has under way at most (Bazel's --jobs).
    client_seconds, server_seconds: processor time to ask the cache for an action; client_run_seconds,
        server_run_seconds: on top of it when the action is executed. The client has `client_processors`
        for it, and the server one: BuildGrid is a Python process, and one of its threads runs at a time.
    client_byte, server_byte, worker_byte: processor time per byte sent or received.
    dispatch_seconds: between an idle worker and a waiting action; nobody's processor.
    worker_seconds: processor time of a worker around each action.
    file_seconds: processor time to stage one input file.
    hit_rate: the share of the actions whose result is in the cache.
    cores: when not 0, client, server and all workers are one machine with so many.
    others: processes of other programs that want that machine's cores all the time.
    """

    workers: int = 1
    slots: int = 1
    worker_bandwidth: float = 125e6
    server_bandwidth: float = 1250e6
    client_bandwidth: float = 125e6
    latency: float = 0.0005
    jobs: int = 64
    client_processors: float = 1.0
    client_seconds: float = 0.0
    server_seconds: float = 0.0
    client_run_seconds: float = 0.0
    server_run_seconds: float = 0.0
    client_byte: float = 0.0
    server_byte: float = 0.0
    worker_byte: float = 0.0
    dispatch_seconds: float = 0.0
    worker_seconds: float = 0.0
    file_seconds: float = 0.0
    hit_rate: float = 0.0
    cores: int = 0
    others: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What a simulated build came to.

    seconds: from start to end.
    bounds: for each resource the seconds that the build can't be shorter than because of it.
    executed: actions that ran on workers.
    uploaded, downloaded: the client's bytes; served: the server's, in and out.
    busy: the share of the workers' time in which they had an action.
    """

    seconds: float
    bounds: dict[str, float]
    executed: int
    uploaded: float
    downloaded: float
    served: float
    busy: float

    @property
    def bottleneck(self) -> str:
        """The resource with the largest bound."""
        return max(self.bounds, key=self.bounds.__getitem__)


def is_hit(name: str, rate: float) -> bool:
    """Whether the action of that name is in the cache; what hits at one rate hits at every higher one."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) < rate * 2.0**64


def simulate(graph: Graph, farm: Farm) -> Outcome:
    """Run the whole graph, whose actions all have seconds. Raises ValueError for numbers that make no sense."""
    if farm.workers < 1 or farm.slots < 1 or farm.jobs < 1 or farm.latency < 0:
        raise ValueError("a farm needs a worker, a slot and a job at least, and no negative times")
    return _Build(graph, farm).run()


class _Build:
    def __init__(self, graph: Graph, farm: Farm) -> None:
        self.graph = graph
        self.farm = farm
        self.clock = Clock()
        shared = self._shared
        self.client_up, self.client_down = shared(farm.client_bandwidth), shared(farm.client_bandwidth)
        self.server_in, self.server_out = shared(farm.server_bandwidth), shared(farm.server_bandwidth)
        self.client_processor = Shared(self.clock, farm.client_processors, 1.0)
        self.server_processor = shared(1.0)
        self.cores = Shared(self.clock, float(farm.cores), 1.0, farm.others) if farm.cores else None
        self.links = [(shared(farm.worker_bandwidth), shared(farm.worker_bandwidth)) for _ in range(farm.workers)]
        self.has: list[set[int]] = [set() for _ in range(farm.workers)]
        self.idle = deque(worker for _ in range(farm.slots) for worker in range(farm.workers))
        self.queue: deque[int] = deque()
        self.ready: deque[int] = deque()
        self.jobs = farm.jobs
        needs = graph.needs()
        self.left = [len(each) for each in needs]
        self.users: list[list[int]] = [[] for _ in needs]
        for number, each in enumerate(needs):
            for other in each:
                self.users[other].append(number)
        self.hits = [is_hit(action.name, farm.hit_rate) for action in graph.actions]
        # Blobs that the server has: None; those on their way: who waits for them.
        self.stored: dict[int, list[Process] | None] = {}
        self.lives: dict[int, Process] = {}
        self.slot_seconds = self.job_seconds = 0.0
        self.downloaded = self.uploaded = 0.0

    def _shared(self, total: float) -> Shared:
        return Shared(self.clock, total)

    def run(self) -> Outcome:
        for number, count in enumerate(self.left):
            if not count:
                self.ready.append(number)
        self._issue()
        self.clock.run()
        if any(self.left):
            raise ValueError("the actions need each other in a circle")
        actions = zip(self.graph.actions, self.hits, strict=True)
        executed = sum(not hit and not action.local for action, hit in actions)
        slots = self.farm.workers * self.farm.slots
        seconds = self.clock.now
        busy = self.slot_seconds / (seconds * slots) if seconds else 0.0
        served = self.server_in.used + self.server_out.used
        return Outcome(seconds, self._bounds(), executed, self.uploaded, self.downloaded, served, busy)

    def _bounds(self) -> dict[str, float]:
        farm = self.farm
        around = farm.client_seconds + farm.server_seconds + 2 * farm.latency
        executed = (
            around
            + farm.client_run_seconds
            + farm.server_run_seconds
            + farm.dispatch_seconds
            + farm.worker_seconds
            + 3 * farm.latency
        )
        seconds = [
            farm.client_seconds if action.local else around if hit else executed + (action.seconds or 0.0)
            for action, hit in zip(self.graph.actions, self.hits, strict=True)
        ]
        bounds = {
            "workers": self.slot_seconds / (farm.workers * farm.slots),
            "server's bandwidth": max(self.server_in.used, self.server_out.used) / farm.server_bandwidth,
            "client's bandwidth": max(self.client_up.used, self.client_down.used) / farm.client_bandwidth,
            "server's processor": self.server_processor.used,
            "client's action rate": max(
                self.client_processor.used / farm.client_processors, self.job_seconds / farm.jobs
            ),
            "critical path": sum(seconds[number] for number in critical_path(self.graph, seconds)),
        }
        if self.cores:
            bounds["machine's cores"] = self.cores.used / farm.cores
        return bounds

    def _compute(self, seconds: float, processor: Shared | None = None) -> list[tuple[Shared, float]]:
        """Processor time of a worker, or of the client or server, on the machine's cores if they are shared."""
        uses = [(processor, seconds)] if processor else []
        if self.cores:
            uses.append((self.cores, seconds))
        return uses

    def _issue(self) -> None:
        while self.ready and self.jobs:
            self.jobs -= 1
            number = self.ready.popleft()
            life = self.lives[number] = self._life(number)
            self.clock.start(life)

    def _client_transfer(self, size: float, up: bool) -> list[tuple[Shared, float]]:
        farm = self.farm
        link, far = (self.client_up, self.server_in) if up else (self.client_down, self.server_out)
        if up:
            self.uploaded += size
        else:
            self.downloaded += size
        return [
            (link, size),
            (far, size),
            *self._compute(size * farm.client_byte, self.client_processor),
            *self._compute(size * farm.server_byte, self.server_processor),
        ]

    def _worker_transfer(self, worker: int, size: float, up: bool) -> list[tuple[Shared, float]]:
        farm = self.farm
        link, far = (self.links[worker][1], self.server_in) if up else (self.links[worker][0], self.server_out)
        return [
            (link, size),
            (far, size),
            *self._compute(size * farm.server_byte, self.server_processor),
            *self._compute(size * farm.worker_byte),
        ]

    def _life(self, number: int) -> Process:
        """An action, as the client sees it."""
        farm, graph, clock = self.farm, self.graph, self.clock
        action = graph.actions[number]
        began = clock.now
        yield self._compute(farm.client_seconds, self.client_processor)
        if not action.local:
            yield 2 * farm.latency
            yield self._compute(farm.server_seconds, self.server_processor)
        if not self.hits[number] and not action.local:
            yield self._compute(farm.client_run_seconds, self.client_processor)
            yield from self._upload(number)
            yield farm.latency
            yield self._compute(farm.server_run_seconds, self.server_processor)
            self.queue.append(number)
            self._assign()
            yield PAUSE
            yield farm.latency
        size = sum(graph.blobs[blob].size for blob in action.outputs if blob in graph.requested)
        if size and not action.local:
            yield 2 * farm.latency
            yield self._client_transfer(size, up=False)
        self.job_seconds += clock.now - began
        del self.lives[number]
        self.jobs += 1
        for user in self.users[number]:
            self.left[user] -= 1
            if not self.left[user]:
                self.ready.append(user)
        self._issue()

    def _upload(self, number: int) -> Generator[Request, None, None]:
        """Bring what the server lacks of an action's sources there."""
        graph = self.graph
        mine, others = [], []
        for blob in graph.actions[number].inputs:
            producer = graph.blobs[blob].producer
            if producer >= 0 and not graph.actions[producer].local:
                continue
            if blob not in self.stored:
                self.stored[blob] = []
                mine.append(blob)
            elif self.stored[blob] is not None:
                others.append(blob)
        if mine:
            yield 2 * self.farm.latency
            yield self._client_transfer(sum(graph.blobs[blob].size for blob in mine), up=True)
            for blob in mine:
                for life in self.stored[blob] or ():
                    self.clock.wake(life)
                self.stored[blob] = None
        for blob in others:
            if (waiting := self.stored[blob]) is not None:
                waiting.append(self.lives[number])
                yield PAUSE

    def _assign(self) -> None:
        while self.queue and self.idle:
            self.clock.start(self._execute(self.queue.popleft(), self.idle.popleft()))

    def _execute(self, number: int, worker: int) -> Process:
        """An action, as its worker sees it."""
        farm, graph, clock = self.farm, self.graph, self.clock
        action, has = graph.actions[number], self.has[worker]
        began = clock.now
        yield farm.dispatch_seconds + farm.latency
        missing = [blob for blob in action.inputs if blob not in has]
        if missing:
            has.update(missing)
            yield 2 * farm.latency
            yield self._worker_transfer(worker, sum(graph.blobs[blob].size for blob in missing), up=False)
        files = sum(graph.blobs[blob].files for blob in action.inputs)
        around = farm.worker_seconds + farm.file_seconds * files
        if self.cores:
            yield self._compute(around)
            yield self._compute(action.seconds or 0.0)
        else:
            yield around + (action.seconds or 0.0)
        has.update(action.outputs)
        yield 2 * farm.latency
        yield self._worker_transfer(worker, sum(graph.blobs[blob].size for blob in action.outputs), up=True)
        self.slot_seconds += clock.now - began
        clock.wake(self.lives[number])
        self.idle.append(worker)
        self._assign()
