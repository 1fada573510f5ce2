"""Starting and stopping a farm from outside: what //farm:up and //farm:down do."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.farm import supervisor
from tools.farm.certificates import make_certificate
from tools.farm.check import check_server
from tools.farm.root import BOOT, INSIDE, Roots, unpack
from tools.farm.services import OWN_PROCESSES, POSTGRES_VERSION, remote_options
from tools.farm.settings import LOOPBACK, Settings, State, check
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

_START_SECONDS = 300.0
_STOP_SECONDS = 60.0
_ROOM = 1_000_000_000  # bytes; fewer are no use
_PROBE_SECONDS = 60


@dataclass(frozen=True)
class Package:
    """What `bazel run` brings: the runtime's folder, the roots' archives, the templates, this program."""

    runtime: Path
    server: tuple[Path, ...]
    worker: tuple[Path, ...]
    templates: Path
    tool: Path


def supervisor_of(state: State) -> int:
    """The process id of the supervisor that runs there; 0 for none."""
    try:
        lock = state.lock.open("r")
    except FileNotFoundError:
        return 0
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read() or 0)
    return 0


def up(settings: Settings, state: State, package: Package) -> str:
    """Start a farm and wait until a real request works. Returns what to tell the user.

    The same farm again is no mistake. Raises UserError, with nothing left running, when it can't start.
    """
    check(settings)
    if pid := supervisor_of(state):
        if Settings.from_json(state.settings.read_text()) == settings:
            return f"the farm is already running: {settings.address}"
        raise UserError(
            f"a farm with other settings is already running (process {pid}, {state.folder}); "
            "stop it first: ./bazelw run //farm:down, or give another --state and --port"
        )
    _check_machine(settings, state)
    roots = unpack_roots(state, package)
    if settings.server:
        check_server(roots, package.tool, state, settings.server, settings.tls_authority, settings.token)
    if settings.tls:
        names = list(dict.fromkeys((settings.name, "localhost", LOOPBACK)))
        make_certificate(roots, package.tool, state, state.own_certificate, names)
    if settings.workers:
        _check_namespaces(roots, state)
    _start(settings, state, package, roots)
    try:
        if settings.secured:
            own = (str(state.secrets / "authority.crt"), str(state.secrets / "worker.token"), str(state / "hosts"))
            check_server(roots, package.tool, state, settings.address, *own)
        _request(settings, state, roots)
    except UserError:
        down(state)
        raise
    return f"the farm is ready: {settings.address}"


def unpack_roots(state: State, package: Package) -> Roots:
    """The farm's roots, unpacked when they aren't yet."""
    state.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tar = package.runtime / "bin/tar"
    server = unpack(tar, package.server, state / "roots/server")
    return Roots(server, unpack(tar, package.worker, state / "roots/worker"))


def _check_machine(settings: Settings, state: State) -> None:
    """Raise UserError for what is known to go wrong before anything is done."""
    version = state / "postgres/PG_VERSION"
    if version.exists() and (found := version.read_text().strip()) != POSTGRES_VERSION:
        raise UserError(
            f"{state / 'postgres'}: made by PostgreSQL {found}, and this farm has {POSTGRES_VERSION}; "
            "it holds only the queue, and nothing of the cache: remove that folder and start again"
        )
    folder = next(parent for parent in (state.folder, *state.folder.parents) if parent.exists())
    if (free := shutil.disk_usage(folder).free) < _ROOM:
        raise UserError(
            f"{state.folder}: only {free / 1e6:.0f} MB are free there, and a farm needs {_ROOM / 1e6:.0f} MB "
            "to start; make room, or give --state DIR on another disk"
        )
    if settings.server:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.listen, settings.port))
        except OSError as error:
            raise UserError(
                f"--listen {settings.listen} --port {settings.port}: {os.strerror(error.errno or 0)}; "
                "choose a free port with --port"
            ) from error


def nested_namespaces(roots: Roots, state: State) -> str:
    """Why actions couldn't make namespaces of their own on this machine; "" when they can."""
    inner = ("bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true")
    words = roots.enter(state.folder, (*OWN_PROCESSES, *OWN_PROCESSES, *inner), worker=True)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return (done.stderr.strip().splitlines() or ["it said nothing"])[-1] if done.returncode else ""


def _check_namespaces(roots: Roots, state: State) -> None:
    """Raise UserError when actions couldn't make namespaces of their own on this machine."""
    if said := nested_namespaces(roots, state):
        raise UserError(
            f"this machine's workers can't make user namespaces within each other ({said}); "
            "allow them (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone), or give --workers 0 "
            "for a cache alone"
        )


def _start(settings: Settings, state: State, package: Package, roots: Roots) -> None:
    """Start the supervisor in the background and wait until its services are ready."""
    state.logs.mkdir(exist_ok=True)
    write_atomically(state.settings, settings.to_json(), 0o600)
    templates = state / "templates"
    templates.mkdir(exist_ok=True)
    for template in package.templates.iterdir():
        shutil.copy(template, templates)
    # A copy, because the build's output may change while the farm runs.
    tool = state / "farm.pyz"
    write_atomically(tool, package.tool.read_bytes())
    state.services.unlink(missing_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        redis_port = free.getsockname()[1]
    words = [*roots.program("python3.11"), "-ISB", "-c", BOOT, str(tool), supervisor.__name__, str(state.folder)]
    words += [str(templates), str(redis_port), str(roots.server), str(roots.worker)]
    with (state.logs / "farm.log").open("ab") as log:
        # In a session of its own, and not a child that anyone waits for.
        process = subprocess.Popen(
            words, cwd="/", env={"LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _START_SECONDS
    while True:
        said = read_services(state)
        if said.get("phase") == supervisor.READY:
            return
        if process.poll() is not None:
            last = (state.logs / "farm.log").read_text().strip().splitlines()[-1:]
            raise UserError(said.get("error") or f"the farm's supervisor ended: {''.join(last)}")
        if time.monotonic() > deadline:
            process.terminate()
            raise UserError(f"the farm isn't ready after {_START_SECONDS:.0f} seconds; see {state.logs}")
        time.sleep(0.05)


def read_services(state: State) -> dict[str, Any]:
    """What the supervisor has last said; empty when there is nothing."""
    try:
        content: dict[str, Any] = json.loads(state.services.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content


def client(settings: Settings, state: State, roots: Roots, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one of buildbox's client programs against the farm, in the workers' root."""
    program, *rest = words
    hosts = () if settings.server else ("--ro-bind", str(state / "hosts"), "/etc/hosts")
    command = [program, *remote_options(settings), "--retry-limit=3", *rest]
    return subprocess.run(
        roots.enter(state.folder, command, worker=True, options=hosts),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PROBE_SECONDS,
    )


def _request(settings: Settings, state: State, roots: Roots) -> None:
    """Ask the farm for what clients will: an action, or where there are no workers, storing a file."""
    if settings.secured or settings.server:
        # Workers' tokens are not for executing: storing a file is what they allow.
        words = ["casupload", f"{INSIDE}/hosts"]
    elif settings.workers:
        words = ["trexe", "--skip-cache-lookup", "--do-not-cache", "--platform-properties=OSFamily=linux", "--", "true"]
    else:
        words = ["casupload", f"{INSIDE}/hosts"]
    try:
        done = client(settings, state, roots, *words)
    except subprocess.TimeoutExpired as error:
        raise UserError(f"the farm doesn't answer a first request in {_PROBE_SECONDS} s; see {state.logs}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UserError(f"the farm fails a first request: {said[-1] if said else words[0]}; see {state.logs}")


def down(state: State) -> str:
    """Stop the farm and wait for its end. Returns what to tell the user."""
    pid = supervisor_of(state)
    if not pid:
        return f"no farm is running ({state.folder})"
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while supervisor_of(state) == pid:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return f"the farm's supervisor was killed: it had not ended after {_STOP_SECONDS:.0f} seconds"
        time.sleep(0.05)
    return "the farm is stopped; its cache stays"
