"""Joined layers are one tar with all members, each path once, of the bytes that the parts had."""

import hashlib
import json
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tools.containers.contents import DIRECTORY, FILE, Entry, read_contents, read_parts
from tools.containers.join_layers import Part, join, main, middle
from tools.containers.layer import Metadata, Outputs, measured, plain_tar, write_outputs
from tools.containers.layer_test import ZSTD
from tools.containers.sizes import layer_sizes
from tools.lib.errors import UserError

SUFFIX = {"gzip": ".tar.gz", "zstd": ".tar.zst"}


def places(folder: Path, name: str, compression: str) -> Outputs:
    return Outputs(*(folder / f"{name}{suffix}" for suffix in (SUFFIX[compression], ".layer.json", ".contents.json")))


def layer(folder: Path, name: str, compression: str, file: str = "") -> Part:
    """A layer with a folder that all have, one of its own, and a file."""
    outputs = places(folder, name, compression)
    path = file or f"usr/{name}/file"
    sources = {path: name.encode() * 1000}
    entries = [Entry(f"usr/{name}", DIRECTORY, 0o755), Entry("usr", DIRECTORY, 0o755)]
    entries.append(measured(Entry(path, FILE), sources[path]))
    write_outputs(name, entries, sources, outputs, compression, ZSTD)
    return Part(Metadata(**json.loads(outputs.metadata.read_text())), read_contents(outputs.contents), outputs.blob)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_the_joined_layer(tmp_path: Path, compression: str) -> None:
    names = ["a", "b", "c"]
    parts = [layer(tmp_path, name, compression) for name in names]
    joined = places(tmp_path, "all", compression)
    words = ["--name", "all", "--blob", str(joined.blob), "--metadata", str(joined.metadata)]
    words += ["--contents", str(joined.contents), "--compression", compression, "--runtime", str(ZSTD.parent.parent)]
    files = [places(tmp_path, name, compression) for name in names]
    words += ["--part-blobs", *(str(each.blob) for each in files)]
    words += ["--part-contents", *(str(each.contents) for each in files)]
    words += ["--part-metadata", *(str(each.metadata) for each in files)]
    assert main(words) == 0
    blob, metadata = joined.blob.read_bytes(), json.loads(joined.metadata.read_text())
    plain = plain_tar(joined.blob, ZSTD)
    with tarfile.open(fileobj=BytesIO(plain)) as archive:
        assert archive.getnames() == ["usr", "usr/a", "usr/b", "usr/c", "usr/a/file", "usr/b/file", "usr/c/file"]
        member = archive.extractfile("usr/b/file")
        assert member and member.read() == b"b" * 1000
    for content, digest, size in ((blob, "digest", "size"), (plain, "diff_id", "uncompressed")):
        found = (f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))
        assert found == (metadata[digest], metadata[size])
        assert sum(part[size] for part in metadata["parts"]) == len(content)
    # No file was compressed again.
    assert b"".join(middle("x", part, compression, ZSTD)[0] for part in parts) in blob
    assert [part.layer for part in read_parts(joined.contents)] == names
    assert [part["name"] for part in metadata["parts"]] == names


def test_sizes_go_by_part(tmp_path: Path) -> None:
    parts = [layer(tmp_path, name, "gzip") for name in ("a", "b")]
    joined = join("all", parts, tmp_path / "all", "gzip", ZSTD)
    assert [size.name for size in layer_sizes(joined)] == ["a", "b"]
    assert [size.name for size in layer_sizes(parts[0].metadata)] == ["a"]


def test_what_is_refused(tmp_path: Path) -> None:
    a, b = (layer(tmp_path, name, "gzip", "usr/file") for name in ("a", "b"))
    with pytest.raises(UserError, match="all: /usr/file is in a and b; keep one"):
        join("all", [a, b], tmp_path / "all", "gzip", ZSTD)
    with pytest.raises(UserError, match=r"all: .*a\.tar\.gz isn't a layer with zstd; build it again"):
        join("all", [a], tmp_path / "all", "zstd", ZSTD)
    a.blob.write_bytes(b"something else")
    with pytest.raises(UserError, match="isn't a layer with gzip"):
        join("all", [a], tmp_path / "all", "gzip", ZSTD)
