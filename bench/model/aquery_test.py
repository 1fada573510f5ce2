"""The graph from an answer of aquery's form."""

from bench.model.aquery import read
from bench.model.graph import Blob

# gen (makes out/a and out/b of two sources) -> use (reads out/a and the runtime) ; note: a file that Bazel writes.
CONTENT = {
    "pathFragments": [
        {"id": 1, "label": "out"},
        {"id": 2, "label": "a", "parentId": 1},
        {"id": 3, "label": "b", "parentId": 1},
        {"id": 4, "label": "src"},
        {"id": 5, "label": "x", "parentId": 4},
        {"id": 6, "label": "y", "parentId": 4},
        {"id": 7, "label": "result", "parentId": 1},
        {"id": 8, "label": "note", "parentId": 1},
    ],
    "artifacts": [{"id": number, "pathFragmentId": number} for number in (2, 3, 5, 6, 7, 8)],
    "depSetOfFiles": [
        {"id": 1, "directArtifactIds": [5, 6]},
        {"id": 2, "directArtifactIds": [2, 8], "transitiveDepSetIds": [1]},
    ],
    "actions": [
        {"mnemonic": "Gen", "arguments": ["g"], "inputDepSetIds": [1], "outputIds": [2, 3], "primaryOutputId": 2},
        {"mnemonic": "FileWrite", "outputIds": [8], "primaryOutputId": 8},
        {"mnemonic": "Use", "arguments": ["u"], "inputDepSetIds": [2], "outputIds": [7], "primaryOutputId": 7},
    ],
}
SIZES = {"src/x": 10, "src/y": 5, "out/a": 100, "out/b": 200, "out/note": 1}


def test_read() -> None:
    found = read(CONTENT, {"out/result"}, SIZES.get)
    gen, note, use = found.graph.actions
    assert (gen.name, gen.mnemonic, gen.local) == ("out/a", "Gen", False)
    assert (note.name, note.local) == ("out/note", True)
    sources = found.graph.blobs[gen.inputs[0]]
    assert sources == Blob(15, 2)
    assert [found.graph.blobs[blob] for blob in gen.outputs] == [Blob(100, 1, 0), Blob(200, 1, 0)]
    assert set(use.inputs) == {gen.inputs[0], gen.outputs[0], note.outputs[0]}
    assert found.graph.requested == frozenset(use.outputs)
    assert found.graph.needs() == [[], [], [0, 1]]
    # Nothing of mnemonic Use has a known size.
    assert (found.guessed_sizes, found.graph.blobs[use.outputs[0]].size) == (1, 0)


def test_unknown_sizes_are_the_median_of_the_mnemonic() -> None:
    content = CONTENT | {
        "actions": [
            {"mnemonic": "Gen", "arguments": ["g"], "outputIds": [number], "primaryOutputId": number}
            for number in (2, 3, 8, 7)
        ]
    }
    found = read(content, (), SIZES.get)
    assert [found.graph.blobs[each.outputs[0]].size for each in found.graph.actions] == [100, 200, 1, 100]
    assert found.guessed_sizes == 1


def test_sets_nested_deeper_than_pythons_stack() -> None:
    depth = 5000
    sets = [{"id": 1, "directArtifactIds": [5]}]
    sets += [{"id": number, "transitiveDepSetIds": [number - 1]} for number in range(2, depth + 1)]
    action = {"mnemonic": "Gen", "arguments": ["g"], "inputDepSetIds": [depth], "outputIds": [2], "primaryOutputId": 2}
    found = read(CONTENT | {"depSetOfFiles": sets, "actions": [action]}, (), SIZES.get)
    assert [found.graph.blobs[blob] for blob in found.graph.actions[0].inputs] == [Blob(10)]


def test_a_source_of_several_sets_is_one_blob() -> None:
    sets = [{"id": 1, "directArtifactIds": [5, 6]}, {"id": 2, "directArtifactIds": [5, 6, 7]}]
    actions = [
        {"mnemonic": "Gen", "arguments": ["g"], "inputDepSetIds": [number], "outputIds": [output]}
        for number, output in ((1, 2), (2, 3))
    ]
    found = read(CONTENT | {"depSetOfFiles": sets, "actions": actions}, (), SIZES.get)
    first, second = found.graph.actions
    assert set(first.inputs) < set(second.inputs)
    assert [found.graph.blobs[blob] for blob in first.inputs] == [Blob(15, 2)]
