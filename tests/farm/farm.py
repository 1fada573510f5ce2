"""A real farm of a test's own, and real Bazels that use it.

Everything lives in the test's folder and in the sandbox's own network, so the ports are free and
nothing outlives the test.
"""

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.integration.workspace import Result, environment

RUNFILES = Path.cwd()


class Farm:
    """A farm with its state in `folder`."""

    def __init__(self, folder: Path, port: int = 8980) -> None:
        self.state = folder / "farm"
        self.port = port

    @property
    def address(self) -> str:
        """Where Bazel finds it, when it has no TLS."""
        return f"grpc://127.0.0.1:{self.port}"

    @property
    def secure_address(self) -> str:
        """Where Bazel finds one that was started with --tls."""
        return f"grpcs://localhost:{self.port}"

    @property
    def authority(self) -> Path:
        """What signed the certificate of one that was started with --tls."""
        return self.state / "secrets/own/authority.crt"

    def token(self, role: str, days: float = 1) -> Path:
        """A file with a token of this farm's."""
        path = self.state.parent / f"{role}-{days}.token"
        done = self.command("token", "--role", role, "--name", "test", "--days", str(days), "--output", str(path))
        assert done.code == 0, done.err
        return path

    def command(self, name: str, *words: str, extra: Mapping[str, str] | None = None) -> Result:
        """Run //farm:NAME with these words; `extra` is set in its environment."""
        done = subprocess.run(
            [str(RUNFILES / f"farm/{name}.sh"), "--state", str(self.state), *words],
            env=environment() | {"RUNFILES_DIR": str(RUNFILES.parent)} | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def up(self, *words: str) -> Result:
        """Start it."""
        return self.command("up", "--port", str(self.port), *words)

    def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        content: dict[str, Any] = json.loads(self.command("status", "--json").out)
        return content

    def log(self, service: str) -> str:
        """A service's log."""
        path = self.state / f"logs/{service}.log"
        return path.read_text(errors="replace") if path.exists() else ""


def error(result: Result) -> str:
    """The one error line of a command that failed."""
    assert result.code == 1, result.out + result.err
    (line,) = [line for line in result.err.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in result.err
    return line


def kill(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
