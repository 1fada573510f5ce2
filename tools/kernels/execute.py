"""Run a driver's commands, inside a kernel's root."""

import os
import subprocess
from pathlib import Path

from tools.kernels.drivers import Command, environment
from tools.lib.errors import UserError
from tools.roots.clock import clock_environment


def build_environment() -> dict[str, str]:
    """The root's environment, with the fixed clock and names."""
    return {**os.environ, **clock_environment(Path("/")), **environment()}


def run_command(command: Command, log: Path) -> int:
    """Run to the end, with what it prints in the log; its exit code.

    Raises UserError when the root lacks the program.
    """
    with log.open("ab") as stream:
        stream.write(f"+ {command}\n".encode())
        stream.flush()
        try:
            return subprocess.run(
                command.words,
                cwd=command.cwd,
                env=build_environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
        except FileNotFoundError as error:
            raise UserError(
                f"the root has no program {command.words[0]!r}: add its package to the root's YAML, or name an "
                "extra that has it in the source's root_extras"
            ) from error
