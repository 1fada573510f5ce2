"""Critical path, pruning, and seconds for what wasn't measured."""

import pytest

from bench.model.graph import Action, Blob, Graph, critical_path, fill, order, prune


def diamond() -> Graph:
    """root -> (left, right) -> last, and an action that nobody asked for. Blob 0 is a source."""
    actions = (
        Action("root", "Root", 1.0, (0,), (1,)),
        Action("left", "Side", 5.0, (1,), (2,)),
        Action("unasked", "Side", 100.0, (1,), (3,)),
        Action("right", "Side", 2.0, (1,), (4,)),
        Action("last", "Last", None, (2, 4), (5,)),
    )
    blobs = (Blob(10), Blob(20, 1, 0), Blob(30, 1, 1), Blob(40, 1, 2), Blob(50, 1, 3), Blob(60, 1, 4))
    return Graph(actions, blobs, frozenset([5]))


def test_needs_and_order() -> None:
    assert diamond().needs() == [[], [0], [0], [0], [1, 3]]
    assert order(diamond().needs()) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="circle"):
        order([[1], [0]])


def test_prune_keeps_what_the_requested_blobs_need() -> None:
    graph = prune(diamond())
    assert [action.name for action in graph.actions] == ["root", "left", "right", "last"]
    assert [blob.producer for blob in graph.blobs] == [-1, 0, 1, -1, 2, 3]


def test_critical_path() -> None:
    graph = prune(diamond())
    assert critical_path(graph, [1.0, 5.0, 2.0, 1.0]) == [0, 1, 3]
    assert critical_path(graph, [1.0, 5.0, 6.0, 1.0]) == [0, 2, 3]
    assert critical_path(Graph((), ()), []) == []


def test_fill_takes_the_median_of_the_mnemonic_and_says_so() -> None:
    filled = fill(diamond(), {"root": 1.0, "left": 4.0, "unasked": 8.0})
    assert [action.seconds for action in filled.graph.actions] == [1.0, 4.0, 8.0, 6.0, 4.0]
    assert filled.measured == 3
    assert filled.guessed == {"Side": (1, 6.0), "Last": (1, 4.0)}
    with pytest.raises(ValueError, match="was measured"):
        fill(diamond(), {"other": 1.0})
