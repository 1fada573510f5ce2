"""Units of systemd (systemd.service(5)), run by an ordinary user: what is in them, in their order, and no more.

A machine is a folder that //farm:configuration wrote. Its services run as systemd
would run them: in their RootDirectory, with their bound folders, environment, user and commands. A setting that
isn't known here is an error: nothing of a unit goes by unseen.
"""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.integration.workspace import runfile

BWRAP = str(runfile("../tool_runtime/bin/bwrap"))
_STOP_SECONDS = 60.0
_RESTART_SECONDS = 0.5
# What has no meaning here, or is up to the test.
_IGNORED = {"Description", "Wants", "WantedBy", "RestartSec", "ExecSearchPath"}
_KNOWN = {
    *("After", "Requires", "ConditionPathExists", "Type", "Restart", "KillSignal", "RootDirectory", "MountAPIVFS"),
    *("TemporaryFileSystem", "BindPaths", "BindReadOnlyPaths", "WorkingDirectory", "User", "Group", "Environment"),
    *("ExecStart", "ExecStartPost"),
}


class Unit:
    """A unit's settings, each with its values in their order."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._settings: dict[str, list[str]] = {}
        for line in path.read_text().splitlines():
            if line and not line.startswith("["):
                key, separator, value = line.partition("=")
                assert separator and key in _IGNORED | _KNOWN, f"{path.name}: {line}"
                self._settings.setdefault(key, []).append(value)

    def all(self, key: str) -> list[str]:
        """The words of a setting."""
        return [word for value in self._settings.get(key, []) for word in value.split()]

    def one(self, key: str) -> str:
        """A setting's one value; "" where it isn't set."""
        (value,) = self._settings.get(key, [""])
        return value

    def words(self, key: str) -> list[str]:
        """A setting's quoted words, with the specifier %H."""
        found = [word for value in self._settings.get(key, []) for word in shlex.split(value)]
        return [word.replace("$$", "$").replace("%H", "machine") for word in found]


class Process:
    """A command of a unit that runs; `words` are bubblewrap's and the command's."""

    def __init__(self, unit: Unit, words: Sequence[str], log: Path) -> None:
        self.unit = unit
        reader, writer = os.pipe()
        command = [words[0], "--json-status-fd", str(writer), *words[1:]]
        with log.open("ab") as output:
            self._outer = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=(writer,)
            )
        os.close(writer)
        # Open as long as bubblewrap is: it writes the exit code there too, and would die of SIGPIPE.
        self._status = open(reader)  # noqa: SIM115
        line = self._status.readline()
        self._inner: int = json.loads(line)["child-pid"] if line else 0

    @property
    def runs(self) -> bool:
        """Whether it hasn't ended."""
        return self._outer.poll() is None

    def wait(self) -> int:
        """Its exit code."""
        with self._status:
            return self._outer.wait()

    def stop(self) -> None:
        """End it by the unit's signal; for good, when that doesn't."""
        if self._inner and self.runs:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._inner, signal.Signals[self.unit.one("KillSignal")])
        try:
            self._outer.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._outer.kill()
        self.wait()


class UnitMachine:
    """A machine with these units."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.units = {path.name: Unit(path) for path in (folder / "systemd").iterdir()}
        self._done: set[str] = set()
        self._running: list[Process] = []
        self._stopping = threading.Event()
        self._restarts = threading.Thread(target=self._restart)

    def start(self) -> None:
        """Start all units, each after those that it needs. What ends is then started again, as its unit says."""
        for name in sorted(self.units):
            self._start(name)
        self._restarts.start()

    def _start(self, name: str) -> None:
        unit = self.units[name]
        if name in self._done:
            return
        self._done.add(name)
        needed = unit.all("Requires")
        assert set(needed) <= set(unit.all("After")), f"{name} may start before what it needs"
        for other in needed:
            self._start(other)
        if condition := unit.one("ConditionPathExists"):
            inside = condition.removeprefix("!")
            assert inside.startswith("/farm/")
            if self._farm(inside).exists() == condition.startswith("!"):
                return
        if unit.one("Type") == "oneshot":
            assert self._run(unit, "ExecStart").wait() == 0, self.log(name)
            return
        process = self._run(unit, "ExecStart")
        self._running.append(process)
        if unit.one("ExecStartPost"):
            assert self._run(unit, "ExecStartPost").wait() == 0, self.log(name)
        assert process.runs, self.log(name)

    def _farm(self, inside: str) -> Path:
        return self.folder / Path(inside).relative_to("/")

    def _run(self, unit: Unit, key: str) -> Process:
        """Start one command of a unit."""
        role = Path(unit.one("RootDirectory"))
        assert role.parent == Path("/opt/contrail-forge") and unit.one("MountAPIVFS") == "yes"
        assert unit.all("BindPaths") == ["/farm"]
        words = [BWRAP, "--die-with-parent", "--unshare-user"]
        words += ["--uid", unit.one("User"), "--gid", unit.one("Group")]
        words += ["--ro-bind", str(self.folder / "root"), "/", "--dev", "/dev", "--bind", "/proc", "/proc"]
        for place in unit.all("TemporaryFileSystem"):
            path, _, options = place.partition(":")
            assert options == "mode=1777"
            words += ["--perms", "1777", "--tmpfs", path]
        for path in unit.all("BindReadOnlyPaths"):
            assert path.startswith("-")
            words += ["--ro-bind-try", path[1:], path[1:]]
        words += ["--bind", str(self.folder / "farm"), "/farm", "--chdir", unit.one("WorkingDirectory"), "--clearenv"]
        for variable in unit.words("Environment"):
            words += ["--setenv", *variable.split("=", 1)]
        return Process(unit, [*words, "--", *unit.words(key)], self._log(unit.name))

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def log(self, name: str) -> str:
        """What a unit's commands have printed."""
        path = self._log(name)
        return path.read_text(errors="replace") if path.exists() else ""

    def runs(self, name: str) -> bool:
        """Whether a unit's main process runs."""
        return any(process.runs for process in self._running if process.unit.name == name)

    def _restart(self) -> None:
        while not self._stopping.wait(_RESTART_SECONDS):
            for index, process in enumerate(self._running):
                if not process.runs and process.unit.one("Restart") == "always":
                    process.wait()
                    self._running[index] = self._run(process.unit, "ExecStart")

    def stop(self) -> None:
        """End what runs, the last first."""
        self._stopping.set()
        if self._restarts.is_alive():
            self._restarts.join()
        while self._running:
            self._running.pop().stop()
