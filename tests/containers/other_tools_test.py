"""Other tools take every image of the catalogue: crane, skopeo and podman, from locked roots."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.daemon import RUNFILES, seccomp_filter
from tools.roots.run_in_root import unpack

_RUNTIME = RUNFILES.parent / "tool_runtime"
_IMAGES = os.environ["IMAGES"].split()


class Tools:
    """A root's programs, which see the images at /images, as the one user of a namespace that they take for root.

    Changes of owner succeed and do nothing (tests.containers.daemon.seccomp_filter), so that podman can unpack layers.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._tree, self._state = folder / name, folder / f"{name}.state"
        unpack(str(_RUNTIME), str(RUNFILES / f"roots/{name}.tar"), self._tree)
        for place in ("proc", "dev", "sys", "tmp", "run", "state", "images", "var/tmp"):
            (self._tree / place).mkdir(exist_ok=True, parents=True)
        for image in _IMAGES:
            (self._tree / f"images/{image}.tar").touch()
        (self._state / "tmp").mkdir(parents=True)

    def run(self, *command: str) -> str:
        """What a command printed. Fails with what it said when it refuses."""
        reading, writing = os.pipe()
        os.write(writing, seccomp_filter())
        os.close(writing)
        words = [
            str(_RUNTIME / "bin/bwrap"), "--die-with-parent", "--unshare-user", "--uid", "0", "--gid", "0",
            "--cap-add", "ALL", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--seccomp", str(reading),
            "--ro-bind", str(self._tree), "/", "--proc", "/proc", "--dev", "/dev", "--ro-bind", "/sys", "/sys",
            "--tmpfs", "/tmp", "--tmpfs", "/run", "--bind", str(self._state), "/state", "--chdir", "/state",
            "--bind", str(self._state / "tmp"), "/var/tmp",
            *[word for name in _IMAGES for word in ("--ro-bind", str(archive(name).resolve()), f"/images/{name}.tar")],
            "--clearenv", "--setenv", "HOME", "/tmp",
            "--setenv", "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "--setenv", "PODMAN_IGNORE_CGROUPSV1_WARNING", "1",
            "--", *command,
        ]  # fmt: skip
        try:
            done = subprocess.run(words, pass_fds=[reading], capture_output=True, text=True, check=False)
        finally:
            os.close(reading)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout


def archive(name: str) -> Path:
    """An image's archive."""
    return RUNFILES / f"containers/{name}/{name}.tar"


def digest(name: str, kind: str) -> str:
    """The SHA-256 of an image's manifest or configuration."""
    content = (RUNFILES / f"containers/{name}/{name}.{kind}.json").read_bytes()
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture(scope="module")
def crane(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    return Tools("crane", tmp_path_factory.mktemp("crane"))


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """podman and skopeo; podman has all images together, as they share layers."""
    yield Tools("podman", tmp_path_factory.mktemp("podman"))


@pytest.mark.parametrize("name", _IMAGES)
def test_crane_validates_it(crane: Tools, name: str) -> None:
    crane.run("crane", "validate", "--tarball", f"/images/{name}.tar")


@pytest.mark.parametrize("name", _IMAGES)
def test_skopeo_inspects_it(podman: Tools, name: str) -> None:
    layers = json.loads((RUNFILES / f"containers/{name}/{name}.manifest.json").read_text())["layers"]
    found = json.loads(podman.run("skopeo", "inspect", f"oci-archive:/images/{name}.tar"))
    assert (found["Digest"], found["Layers"]) == (digest(name, "manifest"), [layer["digest"] for layer in layers])
    config = json.loads((RUNFILES / f"containers/{name}/{name}.config.json").read_text())
    config["config"].pop("Healthcheck", None)  # Docker's addition, which skopeo doesn't print
    found = json.loads(podman.run("skopeo", "inspect", "--config", f"docker-archive:/images/{name}.tar"))
    assert (found["config"], found["rootfs"]) == (config["config"], config["rootfs"])


@pytest.mark.parametrize("name", _IMAGES)
def test_podman_loads_it(podman: Tools, name: str) -> None:
    words = ("podman", "--root", "/state/storage", "--runroot", "/run/storage")
    podman.run(*words, "load", "--quiet", "--input", f"/images/{name}.tar")
    (found,) = json.loads(podman.run(*words, "image", "inspect", digest(name, "config").removeprefix("sha256:")))
    assert (found["RepoTags"], found["Digest"]) == ([f"docker.io/library/{name}:dev"], digest(name, "manifest"))
