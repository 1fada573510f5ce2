"""Builds whose time is known in closed form."""

import time
from dataclasses import replace

import pytest

from bench.model.graph import Action, Blob, Graph
from bench.model.simulate import Farm, is_hit, simulate

# Nothing takes time but the actions themselves.
FREE = Farm(worker_bandwidth=1e15, server_bandwidth=1e15, client_bandwidth=1e15, latency=0.0, jobs=10**6)


def independent(count: int, seconds: float = 1.0, size: int = 0) -> Graph:
    """Actions that need nothing of each other, each with a source of its own."""
    actions = tuple(Action(f"action {number}", "A", seconds, (number,), ()) for number in range(count))
    return Graph(actions, tuple(Blob(size) for _ in range(count)))


def chain(count: int, seconds: float = 1.0, size: int = 0) -> Graph:
    """Actions that each need the one before."""
    actions = [Action("action 0", "A", seconds, (), (0,))]
    actions += [Action(f"action {number}", "A", seconds, (number - 1,), (number,)) for number in range(1, count)]
    blobs = tuple(Blob(size, 1, number) for number in range(count))
    return Graph(tuple(actions), blobs, frozenset([count - 1]))


@pytest.mark.parametrize("workers", [1, 2, 7, 50, 1000])
def test_independent_actions_take_n_over_k(workers: int) -> None:
    outcome = simulate(independent(100, 3.0), replace(FREE, workers=workers))
    assert outcome.seconds == pytest.approx(3.0 * -(-100 // workers))
    assert outcome.executed == 100


@pytest.mark.parametrize("workers", [1, 10, 1000])
def test_a_chain_gets_no_faster(workers: int) -> None:
    outcome = simulate(chain(20, 2.0), replace(FREE, workers=workers))
    assert outcome.seconds == pytest.approx(40.0)
    assert outcome.bounds["critical path"] == pytest.approx(40.0)
    if workers > 1:
        assert outcome.bottleneck == "critical path"


def test_slots_are_like_workers() -> None:
    assert simulate(independent(12), replace(FREE, workers=2, slots=3)).seconds == pytest.approx(2.0)


def test_bound_by_the_servers_bandwidth() -> None:
    farm = replace(FREE, workers=100, server_bandwidth=1000.0)
    outcome = simulate(independent(50, 1.0, 200), farm)
    # 50 uploads of 200 bytes by the client, then the same through the server to the workers, then 1 second.
    assert outcome.seconds == pytest.approx(10.0 + 10.0 + 1.0)
    assert outcome.bottleneck == "server's bandwidth"
    assert outcome.bounds["server's bandwidth"] == pytest.approx(10.0)
    assert outcome.uploaded == 10_000


def test_bound_by_the_workers_bandwidth() -> None:
    # One worker with two slots: its one link is shared. The outputs stay there, so nothing comes down again.
    graph = Graph(
        (Action("a", "A", 0.0, (), (0,)), Action("b", "A", 0.0, (), (1,)), Action("c", "A", 0.0, (0, 1), (2,))),
        (Blob(500, 1, 0), Blob(500, 1, 1), Blob(1000, 1, 2)),
    )
    outcome = simulate(graph, replace(FREE, slots=2, worker_bandwidth=100.0))
    assert outcome.seconds == pytest.approx(10.0 + 10.0)


def test_a_source_is_uploaded_once() -> None:
    graph = Graph(tuple(Action(f"{number}", "A", 1.0, (0,), ()) for number in range(10)), (Blob(1000),))
    outcome = simulate(graph, replace(FREE, workers=10, client_bandwidth=100.0))
    assert outcome.uploaded == 1000
    assert outcome.seconds == pytest.approx(10.0 + 1.0)
    assert outcome.bottleneck == "client's bandwidth"


def test_only_requested_blobs_are_downloaded() -> None:
    outcome = simulate(chain(5, 1.0, 1000), replace(FREE, client_bandwidth=100.0))
    assert outcome.downloaded == 1000
    assert outcome.seconds == pytest.approx(5.0 + 10.0)


def test_bound_by_the_clients_rate() -> None:
    farm = replace(FREE, workers=1000, client_seconds=0.1)
    outcome = simulate(independent(100, 0.01), farm)
    assert outcome.seconds == pytest.approx(10.0, rel=0.01)
    assert outcome.bottleneck == "client's action rate"
    # Ten jobs keep no more than ten workers busy.
    outcome = simulate(independent(100, 1.0), replace(FREE, workers=1000, jobs=10))
    assert outcome.seconds == pytest.approx(10.0)
    assert outcome.bottleneck == "client's action rate"


def test_bound_by_the_cores_of_one_machine() -> None:
    outcome = simulate(independent(100, 1.0), replace(FREE, workers=10, cores=2))
    assert outcome.seconds == pytest.approx(50.0)
    assert outcome.bounds["machine's cores"] == pytest.approx(50.0)
    # One worker can't use two cores, but a client's work goes on beside it.
    assert simulate(independent(100, 1.0), replace(FREE, workers=1, cores=2)).seconds == pytest.approx(100.0)
    # Two processes of others want the cores as well: four want two.
    outcome = simulate(independent(100, 1.0), replace(FREE, workers=2, cores=2, others=2.0))
    assert outcome.seconds == pytest.approx(100.0)
    shared = replace(FREE, workers=1, cores=1, client_seconds=1.0)
    assert simulate(independent(100, 1.0), shared).seconds == pytest.approx(200.0)


def test_latency_and_dispatch_add_to_each_link_of_a_chain() -> None:
    outcome = simulate(chain(10, 1.0), replace(FREE, latency=0.01, dispatch_seconds=0.2))
    # Asking the cache (2), to the queue (1), to the worker (1), outputs (2), the answer (1); inputs are there already.
    assert outcome.seconds == pytest.approx(10 * (1.0 + 0.2 + 0.07))


def test_hits() -> None:
    graph = independent(10_000, 1.0)
    everything = simulate(graph, replace(FREE, hit_rate=1.0))
    assert (everything.executed, everything.seconds) == (0, 0.0)
    half = simulate(graph, replace(FREE, workers=10, hit_rate=0.5))
    assert half.executed == pytest.approx(5000, rel=0.05)
    assert half.seconds == pytest.approx(half.executed / 10, abs=1.0)
    assert all(is_hit(f"{number}", 0.9) for number in range(1000) if is_hit(f"{number}", 0.5))


def test_the_same_each_time() -> None:
    graph, farm = independent(500, 1.0, 1000), Farm(workers=7, hit_rate=0.3, cores=2, client_seconds=0.01)
    assert simulate(graph, farm) == simulate(graph, farm)


@pytest.mark.parametrize("farm", [Farm(workers=0), Farm(jobs=0), Farm(slots=0), Farm(latency=-1.0)])
def test_numbers_that_make_no_sense(farm: Farm) -> None:
    with pytest.raises(ValueError, match="a farm needs"):
        simulate(independent(1), farm)


def test_a_hundred_thousand_actions_by_a_thousand_workers() -> None:
    # Kernels of 100 objects each: headers, objects, link.
    actions: list[Action] = []
    blobs: list[Blob] = [Blob(300_000_000, 4000)]
    for kernel in range(1000):
        blobs.append(Blob(10_000_000, 1, len(actions)))
        headers = len(blobs) - 1
        actions.append(Action(f"headers {kernel}", "Headers", 2.0, (0,), (headers,)))
        objects = []
        for number in range(98):
            blobs.append(Blob(100_000, 1, len(actions)))
            objects.append(len(blobs) - 1)
            actions.append(Action(f"{kernel}/{number}", "Compile", 0.5, (0, headers), (objects[-1],)))
        blobs.append(Blob(1_000_000, 1, len(actions)))
        actions.append(Action(f"link {kernel}", "Link", 1.0, tuple(objects), (len(blobs) - 1,)))
    graph = Graph(tuple(actions), tuple(blobs), frozenset([len(blobs) - 1]))
    assert len(graph.actions) == 100_000
    began = time.process_time()
    outcome = simulate(graph, Farm(workers=1000, jobs=2000))
    assert outcome.executed == 100_000
    assert time.process_time() - began < 60.0
    assert max(outcome.bounds.values()) <= outcome.seconds


def test_local_actions_are_the_clients() -> None:
    graph = Graph(
        (Action("note", "FileWrite", 0.0, (), (0,), local=True), Action("use", "A", 1.0, (0,), (1,))),
        (Blob(1000, 1, 0), Blob(0, 1, 1)),
        frozenset([0]),
    )
    outcome = simulate(graph, replace(FREE, client_bandwidth=100.0))
    assert (outcome.executed, outcome.uploaded, outcome.downloaded) == (1, 1000, 0)
    assert outcome.seconds == pytest.approx(11.0)


def test_a_hit_costs_less_than_an_execution() -> None:
    farm = replace(FREE, workers=1000, server_seconds=0.01, server_run_seconds=0.1)
    assert simulate(independent(100, 0.0), replace(farm, hit_rate=1.0)).seconds == pytest.approx(1.0)
    outcome = simulate(independent(100, 0.0), farm)
    assert outcome.seconds == pytest.approx(11.0)
    assert outcome.bottleneck == "server's processor"
