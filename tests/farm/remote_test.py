"""Remote execution makes the same bytes as this machine, and a second clone takes everything from the cache.

What the outer Bazel built, one kernel's module and a root, is compared with what workers build from nothing; then
the same checkout as another user in another folder executes nothing.
"""

import os
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

import pytest

from tests.farm.client import executed
from tests.farm.farm import Farm
from tests.integration.workspace import Workspace, runfile

TARGETS = os.environ["TARGETS"].split()
FILES = os.environ["FILES"].split()
VM_TEST = os.environ["VM_TEST"]
LOG = Path(next(name for name in FILES if name.startswith("kernels/")), "build.log")
# How many C files a source must have for actions of their own, by whether the module is built as a whole.
OBJECTS_FROM = {False: "--//kernels:objects_from=1", True: "--//kernels:objects_from=24"}
# How the outer Bazel builds it: its configuration may be that of a farm.
WHOLE = LOG.read_text().startswith("Built as a whole")
ANOTHER_USER = [
    str(runfile("../tool_runtime/bin/bwrap")),
    *("--unshare-user", "--uid", "12345", "--gid", "54321", "--unshare-uts", "--hostname", "elsewhere"),
    *("--dev-bind", "/", "/"),
]


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A farm of two workers."""
    farm = Farm(tmp_path_factory.mktemp("farm"))
    started = farm.up("--workers", "2")
    assert started.code == 0, started.err
    yield farm
    farm.command("down")


@pytest.fixture(scope="module")
def first(farm: Farm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The clone that fills the cache."""
    workspace = Workspace(tmp_path_factory.mktemp("first"))
    yield workspace
    workspace.bazel("shutdown")


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file that is compared, by its path below bazel-bin."""
    found = {}
    for name in FILES:
        path = folder / name
        for file in [path] if path.is_file() else sorted(path.iterdir()):
            with file.open("rb") as stream:
                found[str(file.relative_to(folder))] = file_digest(stream, "sha256").hexdigest()
    return found


def test_the_same_bytes(first: Workspace) -> None:
    done = first.bazel("build", "--config=farm", OBJECTS_FROM[WHOLE], *TARGETS)
    assert done.code == 0, done.err
    # Nothing here, and nothing from a cache.
    assert executed(done).keys() == {"remote"}, done.err
    here, there = digests(Path()), digests(first.root / "bazel-bin")
    assert any(name.endswith("vrouter.ko") for name in here)
    assert here == there


def test_the_same_bytes_as_a_whole_and_by_objects(first: Workspace) -> None:
    before = digests(first.root / "bazel-bin")
    done = first.bazel("build", "--config=farm", OBJECTS_FROM[not WHOLE], *TARGETS)
    assert done.code == 0, done.err
    after = digests(first.root / "bazel-bin")
    # The log says how it was built.
    assert {name for name in before if before[name] != after[name]} == {name for name in before if "build.log" in name}


def test_a_kernel_boots_on_a_worker(first: Workspace) -> None:
    done = first.bazel("test", "--config=farm", "--test_output=errors", VM_TEST)
    assert done.code == 0, done.out + done.err
    assert "PASSED" in done.out + done.err
    assert "linux-sandbox" not in executed(done)


def test_a_second_clone_executes_nothing(farm: Farm, first: Workspace, tmp_path: Path) -> None:
    second = Workspace(tmp_path, "another user/clone", ANOTHER_USER)
    try:
        assert first.bazel("build", "--config=farm", *TARGETS).code == 0
        done = second.bazel("build", "--config=reader", *TARGETS)
        assert done.code == 0, done.err
        assert executed(done).keys() == {"remote cache hit"}, done.err
        assert digests(second.root / "bazel-bin") == digests(first.root / "bazel-bin")
    finally:
        second.bazel("shutdown")
