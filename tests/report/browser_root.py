"""pytest in the root //roots:browser, from a test."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

RUNFILES = Path.cwd()
_SUFFIXES = (".css", ".js", ".py")


def check_in_browser_root(tests: str, folder: Path, inputs: Mapping[Path, str]) -> None:
    """Run the pytest file or folder `tests` of the workspace; fails unless all pass.

    `inputs` are bound at their places. Screenshots go to the outputs of the test that calls this.
    """
    # Runfiles are links to places that a root doesn't have.
    for source in (*RUNFILES.glob("tools/**/*.*"), *RUNFILES.glob("tests/report/**/*.*")):
        if source.suffix in _SUFFIXES:
            copy = folder / "sources" / source.relative_to(RUNFILES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    runtime = (RUNFILES.parent / "tool_runtime/bin/python3").resolve().parents[1]
    words = [f"{runtime}/bin/python3", "-ISB", f"{RUNFILES}/tools/roots/run_in_root.pyz", "--runtime", str(runtime)]
    words += ["--layer", f"{RUNFILES}/roots/browser.tar", "--keep", os.environ["TEST_UNDECLARED_OUTPUTS_DIR"]]
    words += ["--env", "PYTHONPATH=/sources", "--cwd", "/sources"]
    for source, place in {folder / "sources": "/sources", **inputs}.items():
        words += ["--input", f"{source}={place}"]
    words += ["--", "python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", tests]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout), done.stdout
    assert "skipped" not in done.stdout, done.stdout
