"""A layer has one text, is a tar that others read, and says its own digests."""

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools.containers.contents import DIRECTORY, FILE, HARDLINK, SYMLINK, Entry, read_contents, read_parts
from tools.containers.layer import Metadata, Outputs, Part, measured, plain_tar, write_layer, write_outputs
from tools.containers.sizes import layer_sizes
from tools.lib.errors import UserError

BUNDLED = Path("../tool_runtime/bin/zstd")
ZSTD = BUNDLED if BUNDLED.exists() else Path(shutil.which("zstd") or "zstd")
SOURCES = {"etc/b": b"content\n", "a/" + "long" * 60: b""}
ENTRIES = [
    Entry("a/link", HARDLINK, target="etc/b"),
    measured(Entry("etc/b", FILE, 0o4755, 5, 65534), SOURCES["etc/b"]),
    Entry("etc", DIRECTORY, 0o1777),
    Entry("bin", SYMLINK, 0o777, target="usr/bin"),
    measured(Entry("a/" + "long" * 60, FILE), b""),
]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_same_entries_in_any_order_are_the_same_bytes(tmp_path: Path, compression: str) -> None:
    first = write_layer("x", [Part("x", ENTRIES, SOURCES)], tmp_path / "1", compression, ZSTD)
    second = write_layer("x", [Part("x", ENTRIES[::-1], SOURCES)], tmp_path / "2", compression, ZSTD)
    assert first == second
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_metadata_is_true(tmp_path: Path, compression: str) -> None:
    metadata = write_layer("x", [Part("x", ENTRIES, SOURCES)], tmp_path / "blob", compression, ZSTD)
    blob = (tmp_path / "blob").read_bytes()
    plain = gzip.decompress(blob) if compression == "gzip" else _unzstd(blob)
    assert metadata.mediaType == f"application/vnd.oci.image.layer.v1.tar+{compression}"
    assert (metadata.digest, metadata.size) == (f"sha256:{hashlib.sha256(blob).hexdigest()}", len(blob))
    assert (metadata.diff_id, metadata.uncompressed) == (f"sha256:{hashlib.sha256(plain).hexdigest()}", len(plain))
    assert json.loads(metadata.to_json())["diff_id"] == metadata.diff_id


def _unzstd(blob: bytes) -> bytes:
    return subprocess.run([ZSTD, "-d", "-c"], input=blob, capture_output=True, check=True).stdout


def test_the_tar_has_what_the_entries_say(tmp_path: Path) -> None:
    write_layer("x", [Part("x", ENTRIES, SOURCES)], tmp_path / "blob")
    with tarfile.open(tmp_path / "blob") as archive:
        found = {member.name: member for member in archive}
        b = found["etc/b"]
        assert (b.mode, b.uid, b.gid, b.uname, b.mtime, b.size) == (0o4755, 5, 65534, "", 1735689600, 8)
        assert list(found) == ["etc", "a/" + "long" * 60, "bin", "etc/b", "a/link"]
        content = archive.extractfile("a/link")
        assert content and content.read() == b"content\n"
        assert (found["bin"].issym(), found["bin"].linkname) == (True, "usr/bin")


def test_contents_are_read_back(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path / "blob", tmp_path / "metadata", tmp_path / "contents")
    write_outputs("x", [Part("x", ENTRIES, SOURCES)], outputs, "gzip", ZSTD, overrides=["etc/*", "bin"])
    contents = read_contents(outputs.contents)
    assert sorted(contents.entries, key=str) == sorted(ENTRIES, key=str)
    assert (contents.layer, contents.overrides) == ("x", ["bin", "etc/*"])
    with tarfile.open(fileobj=io.BytesIO(outputs.blob.read_bytes())) as archive:
        assert archive.getnames() == [entry.path for entry in contents.entries]


@pytest.mark.parametrize(("compression", "suffix"), [("gzip", ".tar.gz"), ("zstd", ".tar.zst")])
def test_several_parts(tmp_path: Path, compression: str, suffix: str) -> None:
    names = ["a", "b", "c"]
    parts = []
    for name in names:
        sources = {f"usr/{name}/file": name.encode() * 1000}
        entries = [Entry(f"usr/{name}", DIRECTORY, 0o755), Entry("usr", DIRECTORY, 0o755)]
        entries += [measured(Entry(path, FILE), content) for path, content in sources.items()]
        parts.append(Part(name, entries, sources))
    outputs = Outputs(tmp_path / f"blob{suffix}", tmp_path / "metadata", tmp_path / "contents")
    write_outputs("all", parts, outputs, compression, ZSTD)
    blob, plain = outputs.blob.read_bytes(), plain_tar(outputs.blob, ZSTD)
    metadata = Metadata(**json.loads(outputs.metadata.read_text()))
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        assert archive.getnames() == ["usr", "usr/a", "usr/b", "usr/c", "usr/a/file", "usr/b/file", "usr/c/file"]
        member = archive.extractfile("usr/b/file")
        assert member and member.read() == b"b" * 1000
    assert (metadata.digest, metadata.size) == (f"sha256:{hashlib.sha256(blob).hexdigest()}", len(blob))
    assert (metadata.diff_id, metadata.uncompressed) == (f"sha256:{hashlib.sha256(plain).hexdigest()}", len(plain))
    sizes = layer_sizes(metadata)
    assert [size.name for size in sizes] == [part.layer for part in read_parts(outputs.contents)] == names
    assert (sum(size.size for size in sizes), sum(size.uncompressed for size in sizes)) == (len(blob), len(plain))


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="x: unknown compression 'xz'; choose one of: gzip, zstd"):
        write_layer("x", [], tmp_path / "blob", "xz")
    with pytest.raises(UserError, match="x: /bin comes twice"):
        write_layer("x", [Part("x", [Entry("bin", DIRECTORY), Entry("bin", SYMLINK)], {})], tmp_path / "blob")
    parts = [Part(name, [measured(Entry("usr/file", FILE), b"")], {"usr/file": b""}) for name in ("a", "b")]
    with pytest.raises(UserError, match="x: /usr/file is in a and b; keep one"):
        write_layer("x", parts, tmp_path / "blob")
    assert not (tmp_path / "blob").exists()
