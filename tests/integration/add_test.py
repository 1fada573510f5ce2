"""//kernels:add: kernels from URLs, as a pair of Ubuntu's form and as an RPM, and what goes wrong."""

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.integration.header_packages import kernel_devel, ubuntu_pair
from tests.integration.mirror import Mirror, serving
from tests.integration.workspace import Result, Workspace, runfile

KERNEL = os.environ["KERNEL"]
CATALOGUE = "kernels/catalogue.json"
LOCK = "kernels/kernels.lock.json"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace and server for all the tests here."""
    yield Workspace(tmp_path_factory.mktemp("add"))


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    """Where the packages that the tests make are served."""
    with serving({}) as mirror:
        yield mirror


def add(workspace: Workspace, mirror: Mirror, release: str, files: list[Path], digest: str = "") -> Result:
    """Serve the files and add them as a kernel; `digest` instead of their own SHA-256."""
    words = []
    for file in files:
        mirror.files[file.name] = file
        words += ["--url", f"{mirror.url}/{file.name}", "--sha256", digest or sha256(file.read_bytes()).hexdigest()]
    return workspace.bazel("run", "//kernels:add", "--", release, *words, "--root", "kbuild-bookworm")


def assert_builds(workspace: Workspace, release: str) -> None:
    """The smallest module builds for the kernel, and says that it is for it."""
    result = workspace.bazel("build", "--//kernels:source=//tests/kernels/hello", f"//kernels:{release}")
    assert result.code == 0, result.err
    content = json.loads(workspace.output(f"kernels/{release}/modinfo.json").read_text())
    (module,) = content["modules"]
    assert module["vermagic"].startswith(f"{release} SMP ")


def test_pair_as_ubuntu_has_them(workspace: Workspace, mirror: Mirror, tmp_path: Path) -> None:
    base = KERNEL.partition("-")[0].partition("+")[0] + "-77"
    release = f"{base}-generic"
    files = ubuntu_pair(runfile(f"kernels/{KERNEL}.headers/headers.tar"), tmp_path / "pair", base, "generic")
    before = (workspace.root / CATALOGUE).read_text(), (workspace.root / LOCK).read_text()

    wrong = add(workspace, mirror, release, files, digest="0" * 64)
    assert wrong.code == 1
    (error,) = [line for line in wrong.err.splitlines() if line.startswith("error: ")]
    assert files[0].name in error
    assert "0" * 64 in error
    assert ((workspace.root / CATALOGUE).read_text(), (workspace.root / LOCK).read_text()) == before

    added = add(workspace, mirror, release, files)
    assert added.code == 0, added.err
    assert f"//kernels:{release}" in added.out
    kernels = {kernel["release"]: kernel for kernel in workspace.read_json(CATALOGUE)["kernels"]}
    assert kernels[release]["line"] == ".".join(KERNEL.split(".")[:2])
    assert kernels[release]["root"] == "kbuild-bookworm"
    assert len(kernels) == len(json.loads(before[0])["kernels"]) + 1
    assert_builds(workspace, release)


def test_rpm(workspace: Workspace, mirror: Mirror, tmp_path: Path) -> None:
    version = KERNEL.partition("-")[0].partition("+")[0]
    file = kernel_devel(runfile(f"kernels/{KERNEL}.headers/headers.tar"), tmp_path / "rpm", version, "1.el9")
    release = f"{version}-1.el9.x86_64"
    added = add(workspace, mirror, release, [file])
    assert added.code == 0, added.err
    assert_builds(workspace, release)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["6.1.0-9-generic", "--url", "{url}/no.deb", "--sha256", "0" * 64, "--root", "kbuild-bookworm"], "file name"),
        (["not-a-release"], "expected a kernel release such as"),
        (["6.1.0-9-generic", "--url", "{url}/a_1_all.deb"], "1 --url but 0 --sha256"),
        (["6.1.0-9-generic", "--url", "{url}/a_1_all.deb", "--sha256", "0" * 64], "--url needs --root"),
        (
            [
                *("6.1.0-9-generic", "--url", "{url}/linux-headers-6.1.0-9-generic_1_amd64.deb"),
                *("--sha256", "0" * 64, "--root", "kbuild-bookworm"),
            ],
            "cannot fetch: ",
        ),
        (
            ["6.1.0-9-generic", "--url", "{url}/a_1_all.deb", "--sha256", "0" * 64, "--root", "kbuild-wheezy"],
            "there are: kbuild-bookworm",
        ),
    ],
)
def test_mistakes(workspace: Workspace, mirror: Mirror, words: list[str], said: str) -> None:
    before = (workspace.root / CATALOGUE).read_text(), (workspace.root / LOCK).read_text()
    result = workspace.bazel("run", "//kernels:add", "--", *[word.format(url=mirror.url) for word in words])
    assert result.code == 1
    (error,) = [line for line in result.err.splitlines() if line.startswith("error: ")]
    assert said in error
    assert "Traceback" not in result.err
    assert ((workspace.root / CATALOGUE).read_text(), (workspace.root / LOCK).read_text()) == before
