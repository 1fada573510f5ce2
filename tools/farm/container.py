"""A worker of the farm in a container: settings from the environment, and the farm's supervisor.

The container has what the workers' root has, so that root is its own, `/`; the state is the volume /farm.
"""

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tools.farm import supervisor
from tools.farm.control import nested_namespaces, read_services
from tools.farm.root import INSIDE, Roots
from tools.farm.services import accepts
from tools.farm.settings import DEFAULT_PORT, Settings, State
from tools.lib.cli import run
from tools.lib.files import write_atomically

ROOTS = Roots(Path("/"), Path("/"))
WRONG, NOT_ALLOWED = 64, 77  # EX_USAGE and EX_NOPERM of sysexits.h
_MOST_JOBS = 999
_SCHEMES = ("grpc", "grpcs")


class Wrong(Exception):
    """A variable of the environment that can't be used."""

    def __init__(self, variable: str, value: str, expected: str) -> None:
        super().__init__(f"{variable}='{value}': expected {expected}")


def _number(environment: Mapping[str, str], variable: str, default: int, most: int) -> int:
    text = environment.get(variable, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise Wrong(variable, text, f"a number from 1 to {most}")
    return int(text)


def _file(environment: Mapping[str, str], variable: str) -> str:
    path = environment.get(variable, "")
    if path and not (os.path.isfile(path) and os.access(path, os.R_OK)):
        raise Wrong(variable, path, f"a file that user {os.getuid()} may read")
    return path


def address(text: str) -> tuple[str, int]:
    """Host and port of a server's address. Raises ValueError for one that can't be."""
    parts = urlsplit(text)
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.path or parts.query or "@" in parts.netloc:
        raise ValueError(text)
    return parts.hostname, parts.port or DEFAULT_PORT


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The worker's settings. Raises Wrong."""
    server = environment.get("FARM_SERVER", "")
    try:
        host, port = address(server)
    except ValueError as error:
        raise Wrong("FARM_SERVER", server, "grpc://HOST:PORT, or grpcs://HOST:PORT with TLS") from error
    token, authority = _file(environment, "FARM_TOKEN_FILE"), _file(environment, "FARM_TLS_AUTHORITY")
    if server.startswith("grpcs://"):
        if not token:
            raise Wrong("FARM_TOKEN_FILE", "", "the file with a worker's token, because FARM_SERVER is grpcs://")
    elif token or authority:
        variable = "FARM_TOKEN_FILE" if token else "FARM_TLS_AUTHORITY"
        raise Wrong(variable, token or authority, "a grpcs:// address in FARM_SERVER with it")
    properties = tuple(environment.get("FARM_PROPERTIES", "").split())
    for text in properties:
        if not all(text.partition("=")):
            raise Wrong("FARM_PROPERTIES", text, "KEY=VALUE, with spaces between several")
    return Settings(
        workers=_number(environment, "FARM_JOBS", len(os.sched_getaffinity(0)), _MOST_JOBS),
        server=f"{urlsplit(server).scheme}://{f'[{host}]' if ':' in host else host}:{port}",
        token=token,
        tls_authority=authority,
        properties=properties,
        cache_size=_number(environment, "FARM_CACHE_GB", 50, 1_000_000) * 10**9,
    )


def is_well(state: State) -> bool:
    """Whether every service runs, and something answers at the server's address."""
    said = read_services(state)
    services = said.get("services", {})
    host, port = address(Settings.from_json(state.settings.read_text()).server)
    running = all(service["pid"] and Path(f"/proc/{service['pid']}").exists() for service in services.values())
    return said.get("phase") == supervisor.READY and running and accepts(port, host)


def _start(state: State, templates: str) -> int:
    try:
        settings = settings_of(os.environ)
        if not os.access(state.folder, os.W_OK):
            raise Wrong("the volume", str(state.folder), f"a folder that user {os.getuid()} may write")
    except Wrong as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG
    if said := nested_namespaces(ROOTS, state):
        what = f"actions can't make user namespaces within each other here ({said})"
        print(f"error: {what}; README.md says how to allow it", file=sys.stderr)
        return NOT_ALLOWED
    print(f"{settings.workers} jobs at once for {settings.server}, as {socket.gethostname()}", flush=True)
    state.logs.mkdir(exist_ok=True)
    state.services.unlink(missing_ok=True)
    write_atomically(state.settings, settings.to_json(), 0o600)
    return supervisor.main([str(state.folder), templates, "0", str(ROOTS.server), str(ROOTS.worker)])


def main(arguments: Sequence[str]) -> int:
    """`health`, or `start` and the folder of the farm's templates."""
    state = State(Path(INSIDE))
    if arguments[0] == "health":
        return 0 if is_well(state) else 1
    return _start(state, arguments[1])


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    run(main)
