"""What is run in the driver's root, and where its outputs go."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.vm_test import launch

SETTINGS: dict[str, Any] = {
    "runtime": "../tool_runtime",
    "driver": "tools/vm/driver.pyz",
    "layers": ["roots/qemu.tar"],
    "inputs": {"tests/x.py": "/forge/vm/scripts/tests/x.py"},
    "environment": {"SEED": "1"},
    "network": False,
    "words": ["--plan", "/forge/vm/plan.json"],
}


def test_paths_are_absolute_for_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = launch.plan_of(SETTINGS, {}, Path("/out"), ["--more"])
    assert plan.layers == ((f"{tmp_path}/roots/qemu.tar", "/"),)
    assert plan.inputs == ((f"{tmp_path}/tests/x.py", "/forge/vm/scripts/tests/x.py"),)
    assert plan.command == ("--plan", "/forge/vm/plan.json", "--more")
    assert plan.signals and not plan.network
    assert json.loads(json.dumps(plan.environment)) == [["SEED", "1"]]


def test_only_what_the_driver_reads_is_passed_on() -> None:
    environment = {"VM_ACCEL": "tcg", "QEMU_NET_OPTS": "", "TEST_TIMEOUT": "60", "VM_SEED": "7", "HOME": "/root"}
    plan = launch.plan_of(SETTINGS, environment, Path("/out"), [])
    assert dict(plan.environment) == {"SEED": "1", "TEST_TIMEOUT": "60", "VM_ACCEL": "tcg", "VM_SEED": "7"}


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"TEST_UNDECLARED_OUTPUTS_DIR": "/bazel/outputs", "FORGE_OUT": "mine"}, "/bazel/outputs"),
        ({"FORGE_OUT": "mine", "BUILD_WORKING_DIRECTORY": "/home/me"}, "/home/me/mine"),
        ({"FORGE_OUT": "/mine", "BUILD_WORKING_DIRECTORY": "/home/me"}, "/mine"),
        ({}, "/scratch/out"),
    ],
)
def test_outputs(environment: dict[str, str], folder: str) -> None:
    assert launch.output_folder(environment, Path("/scratch")) == Path(folder)


# Asked to end at the very moment at which the first folder is made.
_ENDED_EARLY = """
import os, signal, sys, tempfile
make = tempfile.mkdtemp
def make_and_signal(*words, **names):
    made = make(*words, **names)
    os.kill(os.getpid(), signal.SIGTERM)
    return made
tempfile.mkdtemp = make_and_signal
from tools.vm_test import launch
sys.exit(launch.main(sys.argv[1:]))
"""


def test_nothing_is_left_whenever_it_is_ended(tmp_path: Path) -> None:
    runtime, scratch, settings = tmp_path / "runtime", tmp_path / "scratch", tmp_path / "settings.json"
    bwrap = runtime / "bin/bwrap"
    bwrap.parent.mkdir(parents=True)
    bwrap.write_text("#!/bin/sh\nexit 3\n")
    bwrap.chmod(0o755)
    scratch.mkdir()
    settings.write_text(json.dumps(SETTINGS | {"runtime": str(runtime)}))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "TEST_TMPDIR": str(scratch)}
    words = [sys.executable, "-c", _ENDED_EARLY, str(settings)]
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    assert b"user namespace" in done.stderr, "run_plan says so of a bwrap that ends at once"
    assert list(scratch.iterdir()) == []
