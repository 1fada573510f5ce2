"""Join layers to one: their compressed bytes one after the other, without compressing a file again.

Of each layer's three parts (`tools.containers.layer`) the middle one is taken as it is. Before them all come the
folders of all, each once, because docker refuses a tar that has a path twice; after them the tar's end.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.containers.contents import DIRECTORY, Contents, join_parts, read_contents
from tools.containers.layer import END, MEDIA_TYPES, Counter, Metadata, compressed, folders, plain_tar
from tools.containers.layer_options import add_layer_options, layer_outputs, zstd_program
from tools.lib.cli import run
from tools.lib.errors import UserError


@dataclass(frozen=True)
class Part:
    """A layer to join."""

    metadata: Metadata
    contents: Contents
    blob: Path


def check(name: str, parts: Sequence[Part]) -> None:
    """Raise UserError when two layers have a path that isn't a folder."""
    owners: dict[str, str] = {}
    for part in parts:
        for entry in part.contents.entries:
            if entry.type != DIRECTORY and owners.setdefault(entry.path, part.contents.layer) != part.contents.layer:
                raise UserError(f"{name}: /{entry.path} is in {owners[entry.path]} and {part.contents.layer}; keep one")


def middle(name: str, part: Part, compression: str, zstd: Path) -> tuple[bytes, bytes]:
    """What a layer has between folders and end, compressed and plain. Raises UserError if it isn't such a layer."""
    head = folders(part.contents.entries)
    first, last = (compressed(data, compression, zstd) for data in (head, END))
    content = part.blob.read_bytes()
    fits = content.startswith(first) and content.endswith(last)
    if part.metadata.mediaType != MEDIA_TYPES[compression] or not fits:
        raise UserError(f"{name}: {part.blob} isn't a layer with {compression}; build it again")
    return content[len(first) : -len(last)], plain_tar(part.blob, zstd)[len(head) : -len(END)]


def join(name: str, parts: Sequence[Part], blob: Path, compression: str, zstd: Path) -> Metadata:
    """Write the joined blob. The folders count as the first part's, the end as the last one's."""
    check(name, parts)
    sizes = []
    head = folders(entry for part in parts for entry in part.contents.entries)
    with blob.open("wb") as stream:
        sink, plain = Counter(stream), Counter()
        counted = (0, 0)
        plain.write(head)
        sink.write(compressed(head, compression, zstd))
        for part in parts:
            packed, unpacked = middle(name, part, compression, zstd)
            sink.write(packed)
            plain.write(unpacked)
            if part is parts[-1]:
                plain.write(END)
                sink.write(compressed(END, compression, zstd))
            size, uncompressed = sink.size - counted[0], plain.size - counted[1]
            sizes.append({"name": part.metadata.name, "size": size, "uncompressed": uncompressed})
            counted = (sink.size, plain.size)
    return Metadata(name, MEDIA_TYPES[compression], sink.digest, sink.size, plain.digest, plain.size, sizes)


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="join_layers", description=__doc__, fromfile_prefix_chars="@")
    add_layer_options(parser)
    parser.add_argument("--part-metadata", type=Path, nargs="+", required=True, help="of the layers, lowest first")
    parser.add_argument("--part-contents", type=Path, nargs="+", required=True)
    parser.add_argument("--part-blobs", type=Path, nargs="+", required=True)
    options = parser.parse_args(arguments)
    outputs = layer_outputs(options)
    metadata = [Metadata(**json.loads(path.read_text())) for path in options.part_metadata]
    contents = [read_contents(path) for path in options.part_contents]
    parts = [Part(*each) for each in zip(metadata, contents, options.part_blobs, strict=True)]
    joined = join(options.name, parts, outputs.blob, options.compression, zstd_program(options))
    outputs.metadata.write_text(joined.to_json())
    outputs.contents.write_text(join_parts(options.part_contents))
    return 0


if __name__ == "__main__":
    run(main)
