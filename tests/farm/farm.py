"""A real farm of a test's own, and real Bazels that use it.

Everything lives in the test's folder and in the sandbox's own network, so the ports are free and
nothing outlives the test.
"""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.integration.workspace import Result, environment, runfile
from tools.farm.main import running_roots
from tools.farm.services import accepts
from tools.farm.settings import State

RUNFILES = Path.cwd()


class Farm:
    """A farm with its state in `folder`."""

    def __init__(
        self,
        folder: Path,
        port: int = 8980,
        wrapper: Sequence[str] = (),
        host: str = "localhost",
        roots: "Farm | None" = None,
    ) -> None:
        """`wrapper` are words to put before each command; others find it as `host`; `roots` has unpacked its roots."""
        self.state = folder / "farm"
        self.port = port
        self.host = host
        self._wrapper = list(wrapper)
        if roots:
            self.state.mkdir(mode=0o700, parents=True)
            (self.state / "roots").symlink_to(roots.state / "roots")

    @property
    def address(self) -> str:
        """Where Bazel finds it, when it has no TLS."""
        return f"grpc://127.0.0.1:{self.port}"

    @property
    def secure_address(self) -> str:
        """Where Bazel finds one that was started with --tls."""
        return f"grpcs://{self.host}:{self.port}"

    @property
    def authority(self) -> Path:
        """What signed the certificate of one that was started with --tls."""
        return self.state / "secrets/own/authority.crt"

    def token(self, role: str, days: float = 1) -> Path:
        """A file with a token of this farm's; the same one when asked again."""
        path = self.state.parent / f"{role}-{days}.token"
        if path.exists():
            return path
        done = self.command("token", "--role", role, "--name", "test", "--days", str(days), "--output", str(path))
        assert done.code == 0, done.err
        return path

    def command(self, name: str, *words: str, extra: Mapping[str, str] | None = None) -> Result:
        """Run //farm:NAME with these words; `extra` is set in its environment."""
        done = subprocess.run(
            [*self._wrapper, str(RUNFILES / f"farm/{name}.sh"), "--state", str(self.state), *words],
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

    def _script(self, name: str, words: Sequence[str]) -> list[str]:
        roots = running_roots(State(self.state))
        assert roots is not None
        place = ("--ro-bind", str(runfile(f"tests/farm/{name}")), f"/tmp/{name}")
        return roots.enter(self.state, ["python3", "-IB", f"/tmp/{name}", *words], options=place)

    @contextlib.contextmanager
    def script(self, name: str, port: int, *words: str) -> Iterator[None]:
        """Run tests/farm/NAME PORT WORDS in the server's root until the end of the block; it listens on that port."""
        with subprocess.Popen(self._script(name, [str(port), *words]), stdin=subprocess.DEVNULL) as process:
            try:
                deadline = time.monotonic() + 60
                while not accepts(port):
                    assert process.poll() is None and time.monotonic() < deadline
                    time.sleep(0.05)
                yield
            finally:
                process.kill()

    def ask(self, *words: str) -> dict[str, Any]:
        """What api_client.py prints with these words."""
        line = self._script("api_client.py", [str(self.port), *words])
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        content: dict[str, Any] = json.loads(done.stdout)
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
