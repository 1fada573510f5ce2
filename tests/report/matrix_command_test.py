"""//tests:matrix as a command: one line for what's wrong, and its exit code."""

import json
import subprocess
from pathlib import Path

import pytest

PROGRAM = Path("tests/matrix").absolute()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace without kernels, and a launcher that only answers where Bazel's outputs are."""
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels/catalogue.json").write_text(json.dumps({"schema": 1, "kernels": []}))
    (tmp_path / "kernels/kernels.lock.json").write_text(json.dumps({"schema": 1, "name": "kernels", "packages": []}))
    launcher = tmp_path / "bazelw"
    launcher.write_text('#!/bin/sh\n[ "$1" = info ] && echo "$PWD/$2"\n')
    launcher.chmod(0o755)
    return tmp_path


def run(workspace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, as `bazel run` starts it."""
    environment = {"BUILD_WORKSPACE_DIRECTORY": str(workspace), "PATH": "/usr/bin:/bin"}
    return subprocess.run([PROGRAM, *words], env=environment, capture_output=True, text=True, check=False)


def test_no_results(workspace: Path) -> None:
    done = run(workspace)
    assert done.returncode == 1
    where = f"no results yet in {workspace}/bazel-testlogs"
    assert done.stderr == f"error: {where}; run the tests first: ./bazelw test //tests/kernels:all\n"
    assert not (workspace / "matrix").exists()


def test_a_damaged_catalogue(workspace: Path) -> None:
    (workspace / "kernels/catalogue.json").write_text("{")
    done = run(workspace)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {workspace}/kernels/catalogue.json:1: not JSON")
    assert done.stderr.count("\n") == 1


def test_bazel_that_fails(workspace: Path) -> None:
    (workspace / "bazelw").write_text("#!/bin/sh\necho 'ERROR: no WORKSPACE' >&2\nexit 2\n")
    done = run(workspace)
    assert done.returncode == 1
    assert done.stderr == f"error: ./bazelw info bazel-bin failed in {workspace}: ERROR: no WORKSPACE\n"
