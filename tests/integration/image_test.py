"""Image packages that can't be had: their kernels are skipped if mirrors have dropped them, and only then."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.mirror import GONE, Mirror, locked_files, serving
from tests.integration.workspace import Result, Workspace, runfile

KERNEL = os.environ["KERNEL"]
OTHER_KERNEL = os.environ["OTHER_KERNEL"]
LATEST = os.environ["LATEST"].split()
CATALOGUE = "kernels/catalogue.json"
LOCK = "kernels/kernels.lock.json"
# In place of tests that boot them, which take longer and need no less.
BUILD = f"""
load("@bazel_skylib//rules:build_test.bzl", "build_test")

[build_test(name = release, targets = ["//kernels:%s.image" % release]) for release in ["{KERNEL}", "{OTHER_KERNEL}"]]
"""


class World:
    """The workspace, the mirror, and what is changed of the catalogue and its lock."""

    def __init__(self, workspace: Workspace, mirror: Mirror) -> None:
        self.workspace = workspace
        self.mirror = mirror
        self._catalogue = workspace.read_json(CATALOGUE)
        self._lock = workspace.read_json(LOCK)
        workspace.write("booted/BUILD.bazel", BUILD)

    def entry(self, release: str) -> dict[str, Any]:
        """A kernel's entry of the catalogue."""
        return next(kernel for kernel in self._catalogue["kernels"] if kernel["release"] == release)

    def drop(self, *releases: str) -> None:
        """Let the mirror refuse the kernels' images, which weren't downloaded before, but nothing of their headers."""
        packages = [self.entry(release)["packages"] for release in releases]
        keys = {key for each in packages for key in each["image"] if key not in each["headers"]}
        for package in self._lock["packages"]:
            if f"{package['name']}={package['version']}" in keys:
                self.mirror.faults[f"{package['archive']}/{package['path']}"] = GONE
                self.workspace.forget([package["sha256"]])
                # Nothing that fetches looks at the size: another entry is another repository.
                package["size"] += 1
        self.write()

    def write(self) -> None:
        """Write catalogue and lock."""
        self.workspace.write(LOCK, json.dumps(self._lock, indent=2) + "\n")
        self.workspace.write(CATALOGUE, json.dumps(self._catalogue, indent=2) + "\n")

    def test(self, target: str) -> Result:
        """Run tests with packages from the test's own mirror."""
        return self.workspace.bazel(
            "test", "--jobs=2", f"--repo_env=DEBIAN_MIRRORS={self.mirror.url}/debian", target
        )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One workspace and server for all the tests here."""
    workspace = Workspace(tmp_path_factory.mktemp("image"))
    files = locked_files(workspace.read_json(LOCK)["packages"])
    with serving(files) as mirror:
        yield World(workspace, mirror)


@pytest.fixture
def world(shared: World) -> World:
    """The world with a mirror that has the suites' indexes and no faults."""
    shared.mirror.faults.clear()
    shared.mirror.requests.clear()
    for suite in ("bullseye", "bookworm", "trixie", "forky", "sid"):
        for index in (f"debian/dists/{suite}/InRelease", f"debian-security/dists/{suite}-security/InRelease"):
            shared.mirror.files[index] = runfile("roots/tools.lock.json")
    return shared


def ends(result: Result) -> dict[str, str]:
    """How each test ended, from Bazel's summary."""
    lines = [line.split() for line in result.out.splitlines() if line.startswith("//")]
    return {words[0].rpartition(":")[2]: words[1] if words[1] != "(cached)" else words[2] for words in lines}


def test_dropped_image_is_skipped_and_the_other_kernel_tested(world: World) -> None:
    world.drop(KERNEL)
    result = world.test("//booted:all")
    assert result.code == 0, result.err
    assert ends(result) == {KERNEL: "SKIPPED", OTHER_KERNEL: "PASSED"}
    warning = next(line for line in result.err.splitlines() if "WARNING: no mirror has " in line)
    assert f"linux-image-{KERNEL} " in warning
    assert "./bazelw run //kernels:update" in warning


def test_image_that_may_be_there_is_a_failure(world: World) -> None:
    world.drop(KERNEL)
    for path in [path for path in world.mirror.files if path.endswith("InRelease")]:
        del world.mirror.files[path]
    result = world.test("//booted:all")
    assert result.code == 1
    assert f"no mirror has linux-image-{KERNEL} " in result.err
    assert KERNEL not in ends(result)
    assert ends(result)[OTHER_KERNEL] == "PASSED"


def test_image_that_the_catalogue_knows_to_be_gone(world: World) -> None:
    entry = world.entry(KERNEL)
    entry["missing_image"] = entry["packages"]["image"]
    world.drop(KERNEL)
    del entry["missing_image"]
    result = world.test("//booted:all")
    assert result.code == 0, result.err
    assert ends(result) == {KERNEL: "SKIPPED", OTHER_KERNEL: "PASSED"}
    assert "WARNING: no mirror has" not in result.err
    world.write()


def test_latest_does_not_pass_when_all_of_it_is_skipped(world: World) -> None:
    world.drop(*LATEST)
    result = world.test("//tests/kernels:latest")
    assert result.code == 3, result.err
    outcomes = ends(result)
    assert outcomes.pop("latest_not_empty_test") == "FAILED"
    # The tunnels' tests, too.
    assert outcomes.keys() > set(LATEST)
    assert set(outcomes.values()) == {"SKIPPED"}
    assert "no mirror has the image of any kernel of //tests/kernels:latest" in result.out + result.err
