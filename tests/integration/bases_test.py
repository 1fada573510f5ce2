"""Pulled base images: locked from a real registry, built upon without a layer; what is said if one is missing."""

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.containers.registry import PASSWORD, USER, Root, registry, with_users
from tests.integration.workspace import Result, Workspace
from tools.containers.credentials import Credentials
from tools.containers.image import CONFIG_TYPE, INDEX_TYPES, LAYER_TYPE, MANIFEST_TYPE, Blob, Image, sha256
from tools.containers.push import push
from tools.containers.reference import Address
from tools.containers.registry import Registry

LOCK = "containers/bases.lock.json"
BUILD = """load("//containers:defs.bzl", "container_image", "files_layer")

files_layer(name = "files", files = {"app.conf": "/etc/app.conf"})
container_image(name = "image", base = "@container_bases//:BASE", env = {"OWN": "1"}, layers = [":files"])
filegroup(name = "archive", srcs = [":image.whole"], output_group = "archive")
"""


def blob(content: bytes, kind: str) -> Blob:
    """A blob in memory."""
    return Blob(sha256(content), len(content), kind, lambda: io.BytesIO(content))


def layer(name: str) -> bytes:
    """A tar with one file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return stream.getvalue()


def make_image(architecture: str = "amd64") -> Image:
    """An image of two layers, as docker would have made it."""
    tars = [layer("lower"), layer("upper")]
    blobs = [blob(gzip.compress(each, mtime=0), LAYER_TYPE + "+gzip") for each in tars]
    diff_ids = tuple(sha256(each) for each in tars)
    own = {"Entrypoint": ["/usr/bin/base"], "Env": ["BASE=1"], "Cmd": None, "Hostname": "builder"}
    config = {"architecture": architecture, "os": "linux", "config": own}
    given = blob(json.dumps(config | {"rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode(), CONFIG_TYPE)
    entries = [{"mediaType": each.media_type, "digest": each.digest, "size": each.size} for each in (given, *blobs)]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": entries[0], "layers": entries[1:]}
    return Image(json.dumps(manifest).encode(), MANIFEST_TYPE, given, tuple(blobs), diff_ids)


class World:
    """A workspace, and a registry whose data outlive it."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder)
        self.root = Root(folder / "registry")
        self.data = folder / "data"
        self.data.mkdir()
        self.image = make_image()
        self.workspace.write("own/app.conf", "own\n")
        self.use("base")

    def use(self, base: str) -> None:
        """Build on this base."""
        self.workspace.write("own/BUILD.bazel", BUILD.replace("BASE", base, 1))

    @contextmanager
    def serve(self) -> Iterator[int]:
        """The port of the registry, which only USER may use."""
        with registry(self.root, with_users(self.root), ("--bind", str(self.data), "/data")) as port:
            yield port

    def push(self, port: int, tag: str, image: Image) -> None:
        """Give the registry an image."""
        push(Registry(Address(f"http://localhost:{port}", ""), Credentials(USER, PASSWORD)), "me/base", image, [tag])

    def bazel(self, port: int, *words: str, known: bool = True) -> Result:
        """Bazel with this registry."""
        who = {"REGISTRY_USERNAME": USER, "REGISTRY_PASSWORD": PASSWORD} if known else {}
        return self.workspace.bazel(*words, extra={"REGISTRY_URL": f"http://localhost:{port}", **who})

    def update(self, port: int, *words: str) -> Result:
        """Lock bases."""
        return self.bazel(port, "run", "//containers:update_bases", "--", *words)

    def lock(self) -> dict[str, Any]:
        """The lock."""
        return self.workspace.read_json(LOCK)

    def stored(self, digest: str) -> Path:
        """Where the registry has a blob."""
        found = digest.removeprefix("sha256:")
        return self.data / f"docker/registry/v2/blobs/sha256/{found[:2]}/{found}/data"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One workspace and server for all the tests here, with a locked base."""
    world = World(tmp_path_factory.mktemp("bases"))
    with world.serve() as port:
        world.push(port, "1.0", world.image)
        locked = world.update(port, "base", "me/base:1.0")
    assert (locked.code, locked.out) == (0, f"base: me/base:1.0 is {world.image.digest}\n"), locked.err
    yield world


def error(result: Result, start: str) -> str:
    """The one line of it."""
    assert result.code == 1, result.err
    assert "Traceback (most recent call last):\n  File \"<" not in result.err
    return next(line for line in result.err.splitlines() if line.startswith(start))


def fetch_error(world: World, port: int, known: bool = True) -> str:
    """What is said when a layer can't be fetched."""
    return error(world.bazel(port, "build", "//own:archive", known=known), "Error in fail: layer of me/base: ")


def test_the_lock_has_what_metadata_take(world: World) -> None:
    entry = world.lock()["bases"]["base"]
    assert entry["config"] == {"Entrypoint": ["/usr/bin/base"], "Env": ["BASE=1"]}
    assert [layer["digest"] for layer in entry["layers"]] == [layer.digest for layer in world.image.layers]
    assert [layer["diff_id"] for layer in entry["layers"]] == list(world.image.diff_ids)
    assert "localhost" not in json.dumps(world.lock())


def test_metadata_without_a_layer_then_all_of_it(world: World) -> None:
    # Nobody listens at port 1: whoever fetched a layer would say so.
    built = world.bazel(1, "build", "//own:image")
    assert built.code == 0, built.err
    config = world.workspace.read_json("bazel-bin/own/image.config.json")
    assert config["rootfs"]["diff_ids"][:2] == list(world.image.diff_ids)
    assert config["config"]["Entrypoint"] == ["/usr/bin/base"]
    assert config["config"]["Env"][:2] == ["BASE=1", "OWN=1"]
    purls = world.workspace.output("own/image.sbom.json").read_text()
    assert f"pkg:oci/base@{world.image.digest.replace(':', '%3A')}?arch=amd64" in purls
    assert "no registry answers there; start it, or set REGISTRY_URL" in fetch_error(world, 1)
    digest = world.image.layers[0].digest
    lowest = world.stored(digest)
    with world.serve() as port:
        assert "it wants to know who you are (401); set REGISTRY_USERNAME" in fetch_error(world, port, known=False)
        good = lowest.read_bytes()
        lowest.write_bytes(good[::-1])
        found = hashlib.sha256(good[::-1]).hexdigest()
        assert f"what it gives as {digest} of me/base is sha256:{found}" in fetch_error(world, port)
    lowest.unlink()
    with world.serve() as port:  # anew, for it remembers what it has
        assert f"has no {digest} of me/base (404)" in fetch_error(world, port)
        lowest.write_bytes(good)
        archive = world.bazel(port, "build", "//own:archive")
    assert archive.code == 0, archive.err
    with tarfile.open(world.workspace.output("own/image.tar")) as tar:
        (entry,) = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]
        layers = [tar.extractfile(name).read() for name in entry["Layers"]]  # type: ignore[union-attr]
    assert [sha256(each) for each in layers[:2]] == [each.digest for each in world.image.layers]
    assert PASSWORD not in archive.err


def test_a_base_that_isn_t_locked(world: World) -> None:
    world.use("other")
    said = error(world.bazel(1, "build", "//own:image"), "Error in fail: ")
    world.use("base")
    assert re.search("own:image: containers/bases.lock.json has no base 'other'; it has: base. To add it: ", said)
    before = world.lock()
    failed = error(world.update(1, "other"), "error: ")
    assert "has no base 'other'; to add it: ./bazelw run //containers:update_bases -- NAME" in failed
    assert world.lock() == before


def test_what_can_t_be_locked(world: World) -> None:
    before = world.lock()
    with world.serve() as port:
        world.push(port, "arm", make_image("arm64"))
        other = make_image("arm64")
        platform = {"os": "linux", "architecture": "arm64"}
        arm = {"mediaType": MANIFEST_TYPE, "digest": other.digest, "size": len(other.manifest), "platform": platform}
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPES[0], "manifests": [arm]}
        client = Registry(Address(f"http://localhost:{port}", ""), Credentials(USER, PASSWORD))
        client.put_manifest("me/base", "index", json.dumps(index).encode(), INDEX_TYPES[0])
        for tag, said in {
            "arm": "me/base:arm: is for linux/arm64, not linux/amd64",
            "index": "me/base:index: has no image for linux/amd64; it has: linux/arm64",
            "none": "has no me/base:none (404); look at name and REGISTRY_URL",
        }.items():
            assert said in error(world.update(port, "base", f"me/base:{tag}"), "error: ")
            assert world.lock() == before
        again = world.update(port)
        assert (again.code, world.lock() == before) == (0, True), again.err
