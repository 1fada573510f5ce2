"""A small workspace with the checkout's .bazelrc, and a Bazel of its own that uses a farm."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.integration.workspace import Result, checkout, environment, find_bazel

HELPER = checkout() / "farm/credential_helper"


class Client:
    """Builds genrules: `rules` are names and shell commands; each writes NAME.txt."""

    def __init__(self, folder: Path, rules: Mapping[str, str], name: str = "client") -> None:
        self.root = folder / name
        self._output = folder / f"{name}.out"
        self.root.mkdir(parents=True)
        for file in (".bazelrc", ".bazelversion"):
            shutil.copy(checkout() / file, self.root)
        (self.root / "WORKSPACE").touch()
        for rule, command in rules.items():
            self.rule(rule, command)

    def rule(self, name: str, command: str) -> None:
        """Add a genrule."""
        with (self.root / "BUILD").open("a") as stream:
            stream.write(f'genrule(name = "{name}", outs = ["{name}.txt"], cmd = {command!r})\n')

    def command(self, command: str, *words: str) -> list[str]:
        """The words that run Bazel there."""
        startup = [f"--output_user_root={self._output}", "--nohome_rc", "--max_idle_secs=60"]
        return [find_bazel(), *startup, command, "--color=no", "--curses=no", *words]

    def bazel(self, command: str, *words: str, extra: Mapping[str, str] | None = None) -> Result:
        """Run Bazel to its end; `extra` is set in its environment."""
        done = subprocess.run(
            self.command(command, *words),
            cwd=self.root,
            env=environment() | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def fresh_build(self, target: str, *words: str, extra: Mapping[str, str] | None = None) -> Result:
        """Build a target with nothing of an earlier build."""
        assert self.bazel("clean").code == 0
        return self.bazel("build", target, *words, extra=extra)

    def output(self, name: str) -> str:
        """What a genrule wrote."""
        return (self.root / f"bazel-bin/{name}.txt").read_text()
