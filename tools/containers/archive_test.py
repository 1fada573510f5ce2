"""Images in archives: written, read back, and broken."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from tools.containers.image import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, Blob, Files, Image, read_archive, sha256
from tools.containers.save import save
from tools.lib.errors import UserError


def blob(content: bytes, kind: str) -> Blob:
    """A blob in memory."""
    return Blob(sha256(content), len(content), kind, lambda: io.BytesIO(content))


def make(*layers: bytes) -> Image:
    """An image of these layers."""
    blobs = [blob(content, LAYER_TYPE) for content in layers]
    diff_ids = tuple(found.digest for found in blobs)
    config = blob(json.dumps({"rootfs": {"diff_ids": diff_ids}}).encode(), CONFIG_TYPE)
    entries = [{"mediaType": one.media_type, "digest": one.digest, "size": one.size} for one in (config, *blobs)]
    content = {"schemaVersion": 2, "config": entries[0], "layers": entries[1:]}
    return Image(json.dumps(content).encode(), MANIFEST_TYPE, config, tuple(blobs), diff_ids)


def read(path: Path) -> Image:
    """The image of an archive."""
    return read_archive(Files(path))


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    image = make(b"lower", b"upper" * 10_000)
    save(image, "me/image:1", tmp_path / "image.tar")
    found = read(tmp_path / "image.tar")
    assert (found.manifest, found.digest, found.diff_ids) == (image.manifest, image.digest, image.diff_ids)
    with found.layers[1].open() as stream:
        assert (stream.seek(3), stream.read(4), stream.seek(0)) == (3, b"erup", 0)
        assert stream.read() == b"upper" * 10_000
    (tmp_path / "image.tar.gz").write_bytes(gzip.compress((tmp_path / "image.tar").read_bytes()))
    assert read(tmp_path / "image.tar.gz").digest == image.digest


def test_archives_of_docker(tmp_path: Path) -> None:
    image = make(b"lower", gzip.compress(b"upper"))
    save(image, "me/image:1", tmp_path / "image.tar")
    with tarfile.open(tmp_path / "image.tar") as source, tarfile.open(tmp_path / "old.tar", "w") as target:
        for member in source:
            if member.name not in ("oci-layout", "index.json"):
                target.addfile(member, source.extractfile(member))
    found = read(tmp_path / "old.tar")
    assert [layer.media_type for layer in found.layers] == [LAYER_TYPE, LAYER_TYPE + "+gzip"]
    assert [layer.digest for layer in found.layers] == [layer.digest for layer in image.layers]
    assert json.loads(found.manifest)["config"]["digest"] == image.config.digest


def test_a_changed_layer_is_not_saved(tmp_path: Path) -> None:
    image = make(b"lower")
    changed = Blob(image.layers[0].digest, 5, LAYER_TYPE, lambda: io.BytesIO(b"other"))
    broken = Image(image.manifest, image.media_type, image.config, (changed,), image.diff_ids)
    with pytest.raises(UserError, match="a layer isn't what its digest sha256:"):
        save(broken, "me/image:1", tmp_path / "image.tar")
    assert list(tmp_path.iterdir()) == []


def test_several_images(tmp_path: Path) -> None:
    (tmp_path / "oci-layout").write_text("{}")
    (tmp_path / "index.json").write_text('{"manifests": []}')
    with pytest.raises(UserError, match="has 0 images; expected one"):
        read(tmp_path)
    (tmp_path / "index.json").write_text("[]")
    with pytest.raises(UserError, match="isn't a whole image"):
        read(tmp_path)
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(UserError, match=r"index\.json: isn't JSON"):
        read(tmp_path)


def test_a_cut_archive(tmp_path: Path) -> None:
    save(make(b"lower"), "me/image:1", tmp_path / "image.tar")
    (tmp_path / "cut.tar.gz").write_bytes(gzip.compress((tmp_path / "image.tar").read_bytes())[:-20])
    with pytest.raises(UserError, match="isn't an image archive"):
        read(tmp_path / "cut.tar.gz")
