"""Start the driver of virtual machines (tools/vm) in its root, for `bazel test` and `bazel run`.

The settings are JSON, written by tests/private/vm_program.bzl: {"runtime", "driver", "layers": [PATH],
"inputs": {PATH: PLACE}, "environment": {NAME: VALUE}, "network", "words"}, with paths relative to
where this is started, the runfiles. Outputs go to Bazel's folder for them, or to FORGE_OUT.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.lib.cli import run
from tools.roots import run_in_root

# What a person or Bazel says to the driver.
_PASSED = ("QEMU_NET_OPTS", "TERM", "TEST_TIMEOUT", "VM_ACCEL", "VM_SEED")
_JUNIT = "junit.xml"


def plan_of(settings: Mapping[str, Any], environment: Mapping[str, str], keep: Path, words: Sequence[str]) -> (
    run_in_root.Plan
):
    """What to run in which root; `words` are added to the driver's."""
    passed = {name: environment[name] for name in _PASSED if environment.get(name)}
    return run_in_root.Plan(
        runtime=os.path.abspath(settings["runtime"]),
        layers=tuple((os.path.abspath(path), "/") for path in settings["layers"]),
        inputs=tuple((os.path.abspath(path), place) for path, place in settings["inputs"].items()),
        outputs=(),
        environment=tuple({**settings["environment"], **passed}.items()),
        cwd="/build",
        release="0.0.0",
        tool=os.path.abspath(settings["driver"]),
        keep=str(keep),
        devices=("/dev/kvm",),
        network=settings["network"],
        signals=True,
        command=(*settings["words"], *words),
    )


def output_folder(environment: Mapping[str, str], scratch: Path) -> Path:
    """Where the driver's outputs go; what is in `scratch` doesn't stay."""
    if bazels := environment.get("TEST_UNDECLARED_OUTPUTS_DIR"):
        return Path(bazels).absolute()
    if wanted := environment.get("FORGE_OUT"):
        return Path(environment.get("BUILD_WORKING_DIRECTORY", ""), wanted).absolute()
    return scratch / "out"


def main(arguments: Sequence[str]) -> int:
    """The command line; `--staged` is how run_in_root calls this again inside."""
    if arguments[:1] == ["--staged"]:
        return run_in_root.main(arguments)
    settings, *words = arguments
    run_in_root.hold_signals()
    itself = [os.path.abspath(word) for word in (sys.executable, sys.path[0])]
    with tempfile.TemporaryDirectory(prefix="vm-test.", dir=os.environ.get("TEST_TMPDIR")) as scratch:
        keep = output_folder(os.environ, Path(scratch))
        keep.mkdir(parents=True, exist_ok=True)
        plan = plan_of(json.loads(Path(settings).read_text()), os.environ, keep, words)
        os.chdir(scratch)
        code = run_in_root.run_plan(plan, [f"{plan.runtime}/bin/python3", "-ISB", itself[1]])
        if (wanted := os.environ.get("XML_OUTPUT_FILE")) and (keep / _JUNIT).exists():
            shutil.copy(keep / _JUNIT, wanted)
    return code


if __name__ == "__main__":
    run(main)
