"""Packages that can't be had, or aren't what the lock says: one message, nothing half-made, other kernels built."""

import json
import os
import socket
from collections.abc import Iterator

import pytest

from tests.integration.mirror import CUT, CUT_ONCE, GONE, OTHER_BYTES, Mirror, locked_files, serving
from tests.integration.workspace import Result, Workspace

KERNEL = os.environ["KERNEL"]
OTHER_KERNEL = os.environ["OTHER_KERNEL"]
LOCK = "kernels/kernels.lock.json"
MODULE = f"kernels/{KERNEL}/hello.ko"
OTHER_MODULE = f"kernels/{OTHER_KERNEL}/hello.ko"
HEADERS = f"linux-headers-{KERNEL}"


class World:
    """The workspace, the mirror, and the lock with the entry of KERNEL's own headers, the package in question."""

    def __init__(self, workspace: Workspace, mirror: Mirror) -> None:
        self.workspace = workspace
        self.mirror = mirror
        self.lock = workspace.read_json(LOCK)
        self.package = next(entry for entry in self.lock["packages"] if entry["name"] == HEADERS)
        self.path = f"{self.package['archive']}/{self.package['path']}"

    def relock(self, sha256: str) -> None:
        """Change the package's entry; another entry is another repository, which hasn't been fetched."""
        # Nothing that fetches looks at the size, so it may say which entry this is.
        self.package |= {"sha256": sha256, "size": self.package["size"] + 1}
        self.workspace.write(LOCK, json.dumps(self.lock, indent=2) + "\n")

    def build(self, *kernels: str, mirrors: str = "") -> Result:
        """Build the smallest module for the kernels, with these mirrors (the test's own by default)."""
        return self.workspace.bazel(
            "build",
            "--//kernels:source=//tests/kernels/hello",
            f"--repo_env=DEBIAN_MIRRORS={mirrors or self.mirror.url + '/debian'}",
            *[f"//kernels:{kernel}" for kernel in kernels],
        )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One workspace and server for all the tests here."""
    workspace = Workspace(tmp_path_factory.mktemp("fetch"))
    with serving(locked_files(workspace.read_json(LOCK)["packages"])) as mirror:
        yield World(workspace, mirror)


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """The world with a package that was never downloaded, and without faults."""
    shared.mirror.faults.clear()
    shared.mirror.requests.clear()
    sha256 = shared.package["sha256"]
    shared.workspace.forget([sha256])
    shared.relock(sha256)
    for module in (MODULE, OTHER_MODULE):
        shared.workspace.output(module).unlink(missing_ok=True)
    yield shared
    shared.relock(sha256)


def assert_names_the_package(world: World, result: Result) -> None:
    """The failure names package, digest and what to do in one line, and the address in another."""
    assert result.code == 1
    package = f"{HEADERS} {world.package['version']} (SHA-256 {world.package['sha256']})"
    message = next(line for line in result.err.splitlines() if line.startswith("Error in fail: no mirror has "))
    assert package in message
    assert "./bazelw run //kernels:update" in message
    assert "--repo_env=DEBIAN_MIRRORS=" in message
    warning = next(line for line in result.err.splitlines() if line.startswith("WARNING: Download from "))
    assert f"{world.mirror.url}/{world.path} failed" in warning


def assert_only_the_other_was_built(world: World) -> None:
    """The fault cost one kernel and no other."""
    assert world.workspace.output(OTHER_MODULE).is_file()
    assert not world.workspace.output(MODULE).exists()


def test_package_that_the_mirror_has_dropped(world: World) -> None:
    world.mirror.faults[world.path] = GONE
    result = world.build(KERNEL, OTHER_KERNEL)
    assert_names_the_package(world, result)
    assert "404" in result.err
    assert_only_the_other_was_built(world)


def test_mirror_with_other_bytes_than_the_lock(world: World) -> None:
    world.mirror.faults[world.path] = OTHER_BYTES
    result = world.build(KERNEL, OTHER_KERNEL)
    assert_names_the_package(world, result)
    assert "hecksum was" in result.err
    assert_only_the_other_was_built(world)


def test_wrong_sha256_in_the_lock(world: World) -> None:
    world.relock("0" * 64)
    result = world.build(KERNEL, OTHER_KERNEL)
    assert_names_the_package(world, result)
    assert "0" * 64 in result.err
    assert_only_the_other_was_built(world)


def test_interrupted_download_is_tried_again(world: World) -> None:
    world.mirror.faults[world.path] = CUT_ONCE
    result = world.build(KERNEL)
    assert result.code == 0, result.err
    assert world.mirror.requests.count(world.path) > 1
    assert world.workspace.output(MODULE).is_file()


def test_download_that_is_always_cut(world: World) -> None:
    world.mirror.faults[world.path] = CUT
    result = world.build(KERNEL, OTHER_KERNEL)
    assert_names_the_package(world, result)
    assert_only_the_other_was_built(world)
    world.mirror.faults.clear()
    again = world.build(KERNEL, OTHER_KERNEL)
    assert again.code == 0, again.err
    assert world.workspace.output(MODULE).is_file()


def test_next_mirror_when_one_is_unreachable_or_wrong(world: World) -> None:
    world.mirror.files[f"wrong/{world.path}"] = world.mirror.files[world.path]
    world.mirror.faults[f"wrong/{world.path}"] = OTHER_BYTES
    with socket.socket() as closed:
        # A port that is bound and doesn't listen: connections to it are refused.
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/debian"
        mirrors = f"{dead} {world.mirror.url}/wrong/debian {world.mirror.url}/debian"
        result = world.build(KERNEL, mirrors=mirrors)
    assert result.code == 0, result.err
    assert world.mirror.requests == [f"wrong/{world.path}", world.path]
    assert world.workspace.output(MODULE).is_file()


def test_one_kernel_fetches_only_its_own_packages(world: World) -> None:
    result = world.build(KERNEL)
    assert result.code == 0
    assert world.mirror.requests == [world.path]
