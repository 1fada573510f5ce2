"""Every Python file passes ruff and mypy, as pyproject.toml sets them, in a locked root."""

import shutil
import subprocess
from pathlib import Path

import pytest

RUNFILES = Path.cwd()
FOLDERS = ("bench", "containers", "tests", "tools", "vrouter")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, because runfiles are links to places that a root doesn't have."""
    folder = tmp_path_factory.mktemp("sources")
    shutil.copy(RUNFILES / "pyproject.toml", folder)
    for name in FOLDERS:
        for source in (RUNFILES / name).rglob("*.py"):
            copy = folder / source.relative_to(RUNFILES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    return folder


def run_in_lint_root(sources: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a linter in the root, with the sources at /sources."""
    runtime = RUNFILES.parent / "tool_runtime"
    words = [f"{runtime}/bin/python3", "-ISB", f"{RUNFILES}/tools/roots/run_in_root.pyz", "--runtime", str(runtime)]
    words += ["--layer", f"{RUNFILES}/roots/lint.tar", "--input", f"{sources}=/sources", "--cwd", "/sources"]
    return subprocess.run([*words, "--", *command], cwd=sources.parent, capture_output=True, text=True, check=False)


def test_ruff(sources: Path) -> None:
    done = run_in_lint_root(sources, "ruff", "check", "--no-cache", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy(sources: Path) -> None:
    done = run_in_lint_root(sources, "mypy", "--cache-dir=/tmp/mypy", *FOLDERS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linters_see_a_fault(sources: Path, tmp_path: Path) -> None:
    faulty = tmp_path / "faulty"
    shutil.copytree(sources, faulty)
    (faulty / "tools/lib/errors.py").write_text("import os\n\n\ndef size(path):\n    return 1\n")
    assert "F401" in run_in_lint_root(faulty, "ruff", "check", "--no-cache", ".").stdout
    assert "no-untyped-def" in run_in_lint_root(faulty, "mypy", "--cache-dir=/tmp/mypy", "tools/lib").stdout
