"""Mistakes about which kernel: an unknown release, a damaged catalogue or lock."""

import os
from collections.abc import Iterator

import pytest

from tests.integration.workspace import Workspace

KERNEL = os.environ["KERNEL"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace and server for all the tests here."""
    yield Workspace(tmp_path_factory.mktemp("catalogue"))


@pytest.mark.parametrize("command", [("build", ""), ("run", ".shell")])
def test_unknown_release_gets_a_near_name(workspace: Workspace, command: tuple[str, str]) -> None:
    verb, suffix = command
    wrong = KERNEL.replace("amd64", "amd46")
    result = workspace.bazel(verb, f"//kernels:{wrong}{suffix}")
    assert result.code == 1
    errors = [line for line in result.err.splitlines() if "no such target" in line]
    assert len(errors) == 1
    assert f"no such target '//kernels:{wrong}{suffix}'" in errors[0]
    near = errors[0].partition("(did you mean ")[2]
    assert f"{KERNEL}{suffix}" in near


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("kernels/kernels.lock.json", "{", "//kernels:kernels.lock.json: not a lock file with schema 1"),
        ("kernels/catalogue.json", '{"schema": 2}', "//kernels:catalogue.json: not a kernel catalogue with schema 1"),
        ("kernels/kernels.lock.json", '{"schema": 1, "packages": []}', "doesn't lock; make both anew"),
    ],
)
def test_damaged_files_are_named(workspace: Workspace, name: str, content: str, message: str) -> None:
    good = (workspace.root / name).read_text()
    workspace.write(name, content)
    try:
        result = workspace.bazel("build", f"//kernels:{KERNEL}")
    finally:
        workspace.write(name, good)
    assert result.code != 0
    assert message in result.err
    assert "./bazelw run //" in result.err
    assert workspace.bazel("build", "--nobuild", f"//kernels:{KERNEL}").code == 0
