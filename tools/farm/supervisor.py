"""The process that starts the farm's services, watches them, and stops them.

It holds the farm's lock as long as it runs. A service that ends by itself is started again,
with growing pauses; each such event is a line of logs/farm.log and stands in services.json.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.farm.clean import clean
from tools.farm.configuration import write_configuration
from tools.farm.root import Roots
from tools.farm.services import Service, services
from tools.farm.settings import Settings, State
from tools.farm.token import make_token
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

STARTING, READY, FAILED = "starting", "ready", "failed"
_READY_SECONDS = 120.0
_STOP_SECONDS = 20.0
_STABLE_SECONDS = 60.0
_LONGEST_PAUSE = 5.0  # a worker that ended with its server is back soon after it
_CLEAN_SECONDS = 300.0
_TOKEN_SECONDS = 10 * 365 * 86400


@dataclass
class Record:
    """What services.json says of one service; `pid` is that of its bubblewrap."""

    pid: int = 0
    child: int = 0
    starts: int = 0
    last_end: str = ""


class Process:
    """A running service and the process inside its root."""

    def __init__(self, service: Service, roots: Roots, state: State) -> None:
        reader, writer = os.pipe()
        words = roots.enter(
            state.folder,
            service.command,
            service.worker,
            service.environment,
            (*service.options, "--json-status-fd", str(writer)),
        )
        with (state.logs / f"{service.name}.log").open("ab") as log:
            self.outer = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(writer,), start_new_session=True
            )
        os.close(writer)
        # Open as long as bubblewrap is: it writes the exit code there too, and would die of SIGPIPE.
        self._status = open(reader)  # noqa: SIM115
        line = self._status.readline()
        self.child = json.loads(line)["child-pid"] if line else 0
        self._service = service

    def stop(self) -> None:
        """End it: the service's own signal to the inner process, and after a while the outer one for good."""
        if self.child and self.outer.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child, signal.Signals[self._service.stop])
        try:
            self.outer.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.outer.kill()
            self.outer.wait()
        self.close()

    def close(self) -> None:
        """Forget it, when it has ended."""
        self._status.close()


class Supervisor:
    """Starts, watches and stops the services of one farm."""

    def __init__(self, settings: Settings, state: State, roots: Roots, redis_port: int) -> None:
        self._settings = settings
        self._state = state
        self._roots = roots
        self._services = services(settings, state, redis_port, roots.server.name)
        self._running: dict[str, Process] = {}
        self._records = {service.name: Record() for service in self._services}
        self._resume: dict[str, float] = {}
        self._since: dict[str, float] = {}
        self._phase = STARTING
        self._error = ""
        self._stopping = threading.Event()

    def say(self, text: str) -> None:
        """A line of the farm's own log."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(f"{stamp} {text}", flush=True)

    def _publish(self) -> None:
        content = {
            "schema": 1,
            "phase": self._phase,
            "error": self._error,
            "services": {name: asdict(record) for name, record in self._records.items()},
        }
        write_atomically(self._state.services, json.dumps(content, indent=2) + "\n")

    def _start(self, service: Service) -> None:
        if service.before and service.done and not service.done.exists():
            done = subprocess.run(
                self._roots.enter(self._state.folder, service.before, service.worker),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["it said nothing"]
                raise UserError(f"{service.name}: {service.before[0]} failed: {said[-1]}")
            service.done.touch()
        process = Process(service, self._roots, self._state)
        self._running[service.name] = process
        self._since[service.name] = time.monotonic()
        record = self._records[service.name]
        record.pid, record.child, record.starts = process.outer.pid, process.child, record.starts + 1
        self._publish()

    def _wait_ready(self, service: Service) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        process = self._running[service.name]
        while not service.ready():
            if process.outer.poll() is not None:
                how = _how(process.outer.returncode)
                raise UserError(f"{service.name} ended at once ({how}): {self._last(service)}")
            if time.monotonic() > deadline or self._stopping.wait(0.05):
                seconds = f"{_READY_SECONDS:.0f} seconds"
                raise UserError(f"{service.name} doesn't serve after {seconds}: {self._last(service)}")

    def _last(self, service: Service) -> str:
        log = self._state.logs / f"{service.name}.log"
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return f"{lines[-1] if lines else 'it said nothing'} (all of it: {log})"

    def run(self) -> int:
        """All of it; returns the exit code after the last service has stopped."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stopping.set())
        try:
            for service in self._services:
                self._start(service)
                self._wait_ready(service)
                self.say(f"{service.name}: started")
            self._phase = READY
            self._publish()
            threading.Thread(target=self._clean, daemon=True).start()
            while not self._stopping.wait(0.2):
                self._watch()
        except UserError as error:
            self._phase, self._error = FAILED, str(error)
            self.say(f"error: {error}")
        finally:
            self._stop()
        return 1 if self._error else 0

    def _watch(self) -> None:
        """Notice services that have ended, and start them again when their pause is over."""
        now = time.monotonic()
        for service in self._services:
            record = self._records[service.name]
            process = self._running.get(service.name)
            if process is not None and (code := process.outer.poll()) is not None:
                self._running.pop(service.name).close()
                if now - self._since[service.name] > _STABLE_SECONDS:
                    record.starts = 1
                pause = min(0.5 * 2 ** (record.starts - 1), _LONGEST_PAUSE)
                record.last_end = f"{_how(code)}: {self._last(service)}"
                record.pid = record.child = 0
                self._resume[service.name] = now + pause
                self.say(f"{service.name}: {record.last_end}; it is started again in {pause:.1f} s")
                self._publish()
            elif process is None and now >= self._resume[service.name]:
                try:
                    self._start(service)
                    self.say(f"{service.name}: started again")
                except UserError as error:
                    self._resume[service.name] = now + _LONGEST_PAUSE
                    self.say(f"{error}")

    def _clean(self) -> None:
        while not self._stopping.wait(_CLEAN_SECONDS):
            removed, size = clean(self._state / "cas", self._settings.cache_size)
            if removed:
                self.say(f"cache: {removed} files removed, the longest unused; {size / 1e9:.1f} GB left")

    def _stop(self) -> None:
        for service in reversed(self._services):
            if process := self._running.pop(service.name, None):
                process.stop()
                self._records[service.name].pid = self._records[service.name].child = 0
                self.say(f"{service.name}: stopped")
        self._publish()


def _how(code: int) -> str:
    # bubblewrap gives a signal's number as a shell does.
    number = -code if code < 0 else code - 128
    return f"killed by signal {number}" if code < 0 or code > 128 else f"ended with exit code {code}"


def main(arguments: Sequence[str]) -> int:
    """STATE TEMPLATES REDIS_PORT SERVER_ROOT WORKER_ROOT, by //farm:up only."""
    state = State(Path(arguments[0]))
    lock = state.lock.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(f"{state.folder}: another farm has just been started there; see //farm:status") from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    settings = Settings.from_json(state.settings.read_text())
    redis_port = int(arguments[2])
    write_configuration(state, settings, Path(arguments[1]), redis_port)
    if settings.secured and not settings.server:
        key = (state.secrets / "token.key").read_text()
        token = make_token(key, "worker", "local", int(time.time()), _TOKEN_SECONDS)
        write_atomically(state.secrets / "worker.token", token, 0o600)
    (state.folder / "redis.port").write_text(str(redis_port))
    return Supervisor(settings, state, Roots(Path(arguments[3]), Path(arguments[4])), redis_port).run()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    run(main)
