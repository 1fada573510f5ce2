"""A virtual machine whose kernel fails, and the page about it in headless Chromium."""

import os
import subprocess
from pathlib import Path

from tests.report.browser_root import RUNFILES, check_in_browser_root


def test_the_page_of_a_real_failure(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    environment = os.environ | {"TEST_UNDECLARED_OUTPUTS_DIR": str(outputs)}
    program = RUNFILES / "tests/report/oops"
    done = subprocess.run([program], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    assert "FAILED: vm: BUG: kernel NULL pointer" in done.stdout, done.stdout
    check_in_browser_root("tests/report/in_browser/vm_log.py", tmp_path, {outputs: "/run-of-vm"})
