"""The farm's processes: what each runs, in which order they start, and when each is ready."""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.farm.configuration import CONNECTION
from tools.farm.root import INSIDE
from tools.farm.settings import Settings, State

POSTGRES_VERSION = "15"
# The share of the cache's size that this machine's copies of inputs and outputs may take.
_WORKER_SHARE = 0.4
# What an action leaves running ends with the worker. (bubblewrap's own way would need a /proc that it covers.)
OWN_PROCESSES = ("unshare", "--user", "--map-current-user", "--pid", "--fork", "--kill-child", "--mount-proc")


@dataclass(frozen=True)
class Service:
    """One process.

    command: its words, inside the root; worker: whether that is the workers' root.
    before: a command to run to its end first, in the same root, unless there is the file `done`,
        which is made then.
    ready: whether it serves; asked until it does.
    wait: a command that ends as soon as it serves, for services that can't be started before.
    stop: the signal that ends it well.
    options: further words for bubblewrap.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    worker: bool = False
    before: tuple[str, ...] = ()
    done: Path | None = None
    wait: tuple[str, ...] = ()
    stop: str = "SIGTERM"
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def accepts(port: int, address: str = "127.0.0.1") -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def listens(path: Path) -> bool:
    """Whether something accepts connections at a Unix socket."""
    try:
        folder = os.open(path.parent, os.O_PATH)
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as client:
            # A socket's path has 107 bytes at most (unix(7)); the folder's may be longer.
            client.connect(f"/proc/self/fd/{folder}/{path.name}")
            return True
    except OSError:
        return False
    finally:
        os.close(folder)


def services(
    settings: Settings, state: State, redis_port: int, version: str, host: str = socket.gethostname()
) -> list[Service]:
    """The services in the order to start them; the reverse is the order to stop them.

    `version` is that of the server's root; `host` is what the workers are called by.
    """
    found = [] if settings.server else _server(settings, state, redis_port, version)
    return found + (_workers(settings, state, host) if settings.workers else [])


def remote_options(settings: Settings, prefix: str = "") -> list[str]:
    """The words by which a program of buildbox reaches the server; `prefix` is of the service ("bots-")."""
    scheme, _, rest = settings.address.partition("://")
    if scheme == "grpc":
        return [f"--{prefix}remote=http://{rest}"]
    return [
        f"--{prefix}remote=https://{rest}",
        f"--{prefix}access-token={INSIDE}/secrets/worker.token",
        *([f"--{prefix}server-cert={INSIDE}/secrets/authority.crt"] if settings.tls or settings.tls_authority else []),
    ]


def _server(settings: Settings, state: State, redis_port: int, version: str) -> list[Service]:
    database = f"{INSIDE}/postgres"
    initdb = ("initdb", "--pgdata", database, "--encoding=UTF8", "--no-locale", "--auth=trust", "--no-sync")
    return [
        Service(
            "postgres",
            # Each commit is waited for: a client whose action the queue forgot would wait for it for ever.
            ("postgres", "-D", database, "-k", f"{INSIDE}/run", "-c", "listen_addresses=", "-c", "max_connections=200"),
            lambda: listens(state / "run/.s.PGSQL.5432"),
            before=initdb,
            done=state / "postgres/PG_VERSION",
            wait=("sh", "-c", f"until pg_isready --quiet --host={INSIDE}/run; do sleep 0.2; done"),
            stop="SIGINT",
        ),
        Service("redis", ("redis-server", f"{INSIDE}/redis.conf"), lambda: accepts(redis_port)),
        Service(
            "buildgrid",
            ("python3.11", f"{INSIDE}/server.py", "server", "start", "-v", f"{INSIDE}/server.yml"),
            lambda: accepts(settings.port, settings.local_address),
            before=("bgd", "migrate", "apply", CONNECTION),
            done=state / f"postgres/migrated-{version}",
        ),
    ]


def _workers(settings: Settings, state: State, host: str) -> list[Service]:
    hosts = () if settings.server else ("--ro-bind", str(state / "hosts"), "/etc/hosts")
    environment = {"TMPDIR": f"{INSIDE}/worker/tmp"}
    casd = (
        "buildbox-casd", *remote_options(settings), f"--bind=unix:{INSIDE}/worker/run/casd.sock",
        f"--quota-high={int(settings.cache_size * _WORKER_SHARE)}", "--log-level=warning", f"{INSIDE}/worker/cache",
    )  # fmt: skip
    found = [
        Service(
            "casd",
            casd,
            lambda: listens(state / "worker/run/casd.sock"),
            worker=True,
            options=hosts,
            environment=environment,
        )
    ]
    properties = ("OSFamily=linux", "ISA=x86-64", *settings.properties)
    platform = [f"--platform={text}" for text in properties]
    for number in range(1, settings.workers + 1):
        command = (
            *OWN_PROCESSES, "buildbox-worker", *remote_options(settings, "bots-"),
            f"--cas-remote=unix:{INSIDE}/worker/run/casd.sock",
            f"--buildbox-run={INSIDE}/worker/runner", *platform, "--max-wait-time=10",
            "--log-level=warning", f"{host}.{number}",
        )  # fmt: skip
        found.append(
            Service(
                f"worker-{number}",
                command,
                lambda: True,
                worker=True,
                stop="SIGKILL",
                options=hosts,
                environment=environment,
            )
        )
    return found
