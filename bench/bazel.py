"""Bazel for the benchmarks: an output base of its own, no cache but what is asked for, and timed."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.lib.errors import UserError

# What a farm is asked to build, without one; such as how much an action compiles.
LIKE_A_FARM = ("--config=farm", "--remote_executor=")
# Whatever user.bazelrc says.
NO_CACHES = ("--disk_cache=", "--remote_cache=", "--remote_executor=")


class Bazel:
    """A workspace and its Bazel server."""

    def __init__(
        self,
        workspace: Path,
        output: Path,
        wrapper: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        launcher: Path | None = None,
    ) -> None:
        """`output` is the output base; `wrapper`: words before each call; `environment` is added to the caller's.

        `launcher`: the bazelw to use, by default the workspace's own.
        """
        self.workspace = workspace
        self.output = output
        self._start = [*wrapper, str(launcher or workspace / "bazelw"), f"--output_base={output}"]
        self._environment = os.environ | dict(environment or {})

    def run(self, *words: str) -> str:
        """Run a command to its end; its standard output. Raises UserError when it fails."""
        done = subprocess.run(
            [*self._start, *words],
            cwd=self.workspace,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UserError(f"bazelw {words[0]}: failed with exit code {done.returncode}; its messages are above")
        return done.stdout

    def build(self, *words: str) -> float:
        """Build, without any cache unless `words` name one; seconds of wall time."""
        start = time.monotonic()
        self.run("build", "--symlink_prefix=/", "--noshow_progress", "--show_result=0", *NO_CACHES, *words)
        return time.monotonic() - start

    def execution_root(self) -> Path:
        """Where the paths of inputs and outputs begin."""
        return Path(self.run("info", "execution_root").strip())


def kernels(workspace: Path, count: int) -> list[str]:
    """The targets of `count` kernels, spread evenly over the catalogue."""
    catalogue = json.loads((workspace / "kernels/catalogue.json").read_text())["kernels"]
    found = [f"//kernels:{kernel['release']}" for kernel in catalogue if not kernel.get("missing")]
    return found[:: max(1, len(found) // count)][:count]


def busy() -> str:
    """How busy the machine is before a measurement, to be printed with it."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    note = "; OTHER PROGRAMS ARE RUNNING, so the figures are no good" if load > 0.5 * cores else ""
    return f"the machine's load before: {load:.1f} on {cores} cores{note}"
