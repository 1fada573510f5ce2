"""//farm:verify: builds a sample of targets again, here, and compares every cached result's bytes with its own.

Bazel builds the sample twice in a folder of its own: once taking from the remote cache whatever it
has, once without any cache. Its execution logs have the SHA-256 of each action's outputs.
"""

import os
import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.farm.execution_log import Difference, differences, read_log
from tools.farm.settings import State
from tools.lib.errors import UserError

TARGETS = "//kernels:all"
_KIND = "kernel_module"
_NOT_MANUAL = r"[\[ ]manual[,\]]"
_QUIET = ("--color=no", "--curses=no", "--show_result=0", "--noshow_progress")
_NO_CACHE = ("--disk_cache=", "--noremote_upload_local_results")


@dataclass(frozen=True)
class Request:
    """What to verify.

    targets: patterns; empty for the kernels' modules. sample: how many of them; 0 for all.
    seed: what the choice at random starts from.
    configuration: the configuration of .bazelrc that has the cache; options: further words for Bazel.
    """

    targets: tuple[str, ...]
    sample: int
    seed: int
    configuration: str = "cache"
    options: tuple[str, ...] = ()


class Verifier:
    """Runs Bazel in an output folder of its own, so that the user's own one stays as it is."""

    def __init__(self, workspace: Path, state: State) -> None:
        self._workspace = workspace
        self._folder = state / "verify"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _bazel(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        base = f"--output_base={self._folder / 'output'}"
        line = [str(self._workspace / "bazelw"), base, "--max_idle_secs=15", command, *words]
        # The caller's lock on his own output folder isn't this one's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BUILD_WORK")}
        return subprocess.run(
            line, cwd=self._workspace, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", check=False,
        )  # fmt: skip

    def choose(self, request: Request) -> list[str]:
        """The targets to build: all of the request's, or a sample of them."""
        patterns = " + ".join(request.targets or (TARGETS,))
        kind = "rule" if request.targets else f"{_KIND} rule"
        query = f'kind("{kind}", {patterns}) except attr("tags", "{_NOT_MANUAL}", {patterns})'
        done = self._bazel("query", query, "--noshow_progress")
        labels = sorted(done.stdout.split())
        if done.returncode or not labels:
            raise UserError(f"{patterns}: no targets to verify: {_last_error(done.stderr)}")
        if not request.sample:
            return labels
        return sorted(random.Random(request.seed).sample(labels, min(request.sample, len(labels))))

    def compare(self, request: Request, targets: Sequence[str]) -> tuple[int, list[Difference]]:
        """How many cached results were compared, and those that differ. Raises UserError when a build fails."""
        common = (f"--config={request.configuration}", *request.options, *_QUIET, *_NO_CACHE)
        minimal = "--remote_download_outputs=minimal"
        logs = []
        for name, words in (
            ("cached", (minimal, "--remote_accept_cached")),
            ("rebuilt", ("--remote_cache=", "--remote_executor=", "--spawn_strategy=linux-sandbox")),
        ):
            log = self._folder / f"{name}.json"
            log.unlink(missing_ok=True)
            self._bazel("clean")
            done = self._bazel("build", *common, *words, f"--execution_log_json_file={log}", "--", *targets)
            if done.returncode:
                raise UserError(
                    f"the {name} build fails: {_last_error(done.stderr)}; see {self._keep(name, done.stderr)}"
                )
            if name == "cached" and "Failed to query remote execution capabilities" in done.stderr:
                raise UserError(f"the cache can't be used: {_last_error(done.stderr)}; ask //farm:check why")
            logs.append(read_log(log))
            log.unlink()
        self._bazel("clean")
        return differences(logs[0], logs[1])

    def _keep(self, name: str, said: str) -> Path:
        path = self._folder / f"{name}.log"
        path.write_text(said)
        return path


def _last_error(said: str) -> str:
    lines = [line for line in said.splitlines() if line.startswith("ERROR: ") and "did NOT complete" not in line]
    return lines[0].removeprefix("ERROR: ") if lines else "Bazel said nothing"


def report(targets: Sequence[str], compared: int, found: Sequence[Difference]) -> str:
    """What to tell the user; an action is named by its target and what it does."""
    if not compared:
        raise UserError(f"{', '.join(targets)}: nothing of it is in the cache, so nothing was compared; build it first")
    lines = [f"verified: {', '.join(targets)}"]
    for difference in found:
        action = difference.action
        lines.append(f"DIFFERS: {action.target} ({action.mnemonic}): {', '.join(difference.files)}")
    count = f"{compared} cached results compared with this machine's"
    return "\n".join([*lines, f"{count}: {f'{len(found)} differ' if found else 'the same bytes'}"])
