"""Locking with real apt and gpg: tools/roots/*_integration_test.py, run in the root //roots:apt."""

import re
import shutil
import subprocess
from pathlib import Path

RUNFILES = Path.cwd()


def test_integration_tests_pass_in_the_root(tmp_path: Path) -> None:
    """None may be skipped: in this root apt and gpg are there."""
    # Runfiles are links to places that a root doesn't have.
    for source in (RUNFILES / "tools").rglob("*.py"):
        copy = tmp_path / "sources" / source.relative_to(RUNFILES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    runtime = (RUNFILES.parent / "tool_runtime/bin/python3").resolve().parents[1]
    words = [f"{runtime}/bin/python3", "-ISB", f"{RUNFILES}/tools/roots/run_in_root.pyz", "--runtime", str(runtime)]
    words += ["--layer", f"{RUNFILES}/roots/apt.tar", "--layer", f"{RUNFILES}/roots/apt.test.tar"]
    words += ["--input", f"{tmp_path}/sources=/sources", "--env", "PYTHONPATH=/sources"]
    words += ["--cwd", "/sources", "--"]
    tests = [str(path.relative_to(RUNFILES)) for path in RUNFILES.glob("tools/roots/*_integration_test.py")]
    words += ["python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", *sorted(tests)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout), done.stdout
    assert "skipped" not in done.stdout, done.stdout
