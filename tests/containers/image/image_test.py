"""The images of BUILD.bazel: metadata that agree with the blobs, as a layout and as an archive."""

import hashlib
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

FOLDER = Path("tests/containers/image")


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def digest(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_the_configuration() -> None:
    config = read("hello.config.json")
    assert config["config"] == {
        "Entrypoint": ["/usr/bin/hello"],
        "Env": [
            "GREETING=hello",
            "NAME=world",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ],
        "ExposedPorts": {"53/udp": {}, "6379/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "/usr/bin/hello"], "Interval": 5_000_000_000},
        "Labels": {
            "org.opencontainers.image.licenses": "Apache-2.0",
            "org.opencontainers.image.title": "tests/hello",
            "org.opencontainers.image.version": "dev",
        },
        "StopSignal": "SIGQUIT",
        "User": "65534:65534",
        "Volumes": {"/data": {}},
        "WorkingDir": "/etc",
    }
    layers = [read(f"{name}.layer.json") for name in ("program", "config")]
    assert config["rootfs"]["diff_ids"] == [layer["diff_id"] for layer in layers]
    assert (config["os"], config["architecture"], config["created"]) == ("linux", "amd64", "2025-01-01T00:00:00Z")


def test_descriptors_are_those_of_the_files() -> None:
    manifest, descriptor = read("hello.manifest.json"), read("hello.descriptor.json")
    for name, found in (("manifest", descriptor), ("config", manifest["config"]), ("config", descriptor["config"])):
        file = FOLDER / f"hello.{name}.json"
        assert (found["digest"], found["size"]) == (digest(file), file.stat().st_size)
    for layer, blob in zip(manifest["layers"], ("program.tar.gz", "config.tar.gz"), strict=True):
        assert (layer["digest"], layer["size"]) == (digest(FOLDER / blob), (FOLDER / blob).stat().st_size)


def test_the_layout_is_whole() -> None:
    layout = FOLDER / "hello.oci"
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    assert entry["digest"] == read("hello.descriptor.json")["digest"]
    blobs = sorted((layout / "blobs/sha256").iterdir())
    assert [f"sha256:{blob.name}" for blob in blobs] == [digest(blob) for blob in blobs]
    assert len(blobs) == 4


def test_the_archive_has_the_same_blobs() -> None:
    layout = FOLDER / "hello.oci"
    with tarfile.open(FOLDER / "hello.tar") as archive:
        (docker,) = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert docker["RepoTags"] == ["tests/hello:dev"]
        names = archive.getnames()
        for blob in [docker["Config"], *docker["Layers"]]:
            content = archive.extractfile(blob)
            assert content and content.read() == (layout / blob).read_bytes()
    assert set(names) >= {"oci-layout", "index.json"}


def test_sbom_and_provenance_name_the_image() -> None:
    found = read("hello.descriptor.json")["digest"].removeprefix("sha256:")
    (subject,) = read("hello.provenance.json")["subject"]
    assert subject == {"name": "tests/hello", "digest": {"sha256": found}}
    assert read("hello.sbom.json")["packages"][0]["checksums"] == [{"algorithm": "SHA256", "checksumValue": found}]


def test_size_and_its_comparison() -> None:
    program = str((FOLDER / "hello.size").absolute())
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert "//tests/containers/image:program" in said and "| total" in said
    other = str((FOLDER / "base.sizes.json").absolute())
    said = subprocess.run([program, other], capture_output=True, text=True, check=True).stdout
    assert "//tests/containers/image:config" in said and ":program" not in said
    failed = subprocess.run([program, "none.json"], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    said = "error: none.json: cannot read: No such file or directory; give a NAME.sizes.json of another build\n"
    assert failed.stderr == said
