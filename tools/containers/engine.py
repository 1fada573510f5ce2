"""A client of the Docker Engine API (docker's, or podman's socket), over its Unix socket or TCP.

Format: https://docs.docker.com/reference/api/engine/ ; version 1.41, which docker 20.10 and podman 4 both have.
"""

import http.client
import json
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tools.lib.errors import UserError

_VERSION = "/v1.41"
_TIMEOUT = 600  # seconds without a byte; unpacking a large layer is silent
_START = (
    "start docker or podman's socket (systemctl --user start podman.socket), or set DOCKER_HOST, for example "
    "unix:///var/run/docker.sock"
)


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: str, patience: float | None) -> None:
        parts = urlsplit(address)
        super().__init__(parts.hostname or "localhost", parts.port or 2375, timeout=patience)
        self._path = parts.path if parts.scheme == "unix" else ""

    def connect(self) -> None:
        if not self._path:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class EngineError(UserError):
    """The daemon refused; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def find_address() -> str:
    """$DOCKER_HOST, or the first socket that is there: docker's, rootless docker's, podman's.

    Raises UserError when there is none.
    """
    if given := os.environ.get("DOCKER_HOST"):
        return given
    user = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    places = ["/var/run/docker.sock", f"{user}/docker.sock", f"{user}/podman/podman.sock", "/run/podman/podman.sock"]
    for place in places:
        if os.access(place, os.W_OK) and Path(place).is_socket():
            return f"unix://{place}"
    raise UserError(f"no docker or podman daemon found ({', '.join(places)}); {_START}")


class Engine:
    """A daemon at an address such as unix:///var/run/docker.sock or tcp://127.0.0.1:2375."""

    def __init__(self, address: str) -> None:
        """Raises UserError when the address isn't one."""
        if urlsplit(address).scheme not in ("unix", "tcp", "http"):
            raise UserError(f"DOCKER_HOST={address}: expected unix:///PATH or tcp://HOST:PORT")
        self.address = address

    def _request(
        self, method: str, path: str, body: Any, kind: str, patience: float | None = _TIMEOUT
    ) -> http.client.HTTPResponse:
        connection = _Connection(self.address, patience)
        headers = {"Content-Type": kind} if body is not None else {}
        try:
            connection.request(method, _VERSION + path, body=body, headers=headers)
        except BrokenPipeError:
            pass  # it answered before it had all, which says why
        except OSError as error:
            raise UserError(f"no daemon answers at {self.address}: {error.strerror or error}; {_START}") from error
        try:
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise UserError(f"{self.address}: the daemon broke off: {error}") from error
        if answer.status >= 400:
            text = answer.read().decode(errors="replace")
            raise EngineError(f"{self.address}: the daemon refused {method} {path}: {_message(text)}", answer.status)
        return answer

    def call(
        self,
        method: str,
        path: str,
        body: IO[bytes] | Iterable[bytes] | bytes | None = None,
        kind: str = "application/x-tar",
    ) -> bytes:
        """What it answers to a request. Raises EngineError with what it said when it refuses."""
        try:
            return self._request(method, path, body, kind).read()
        except (OSError, http.client.HTTPException) as error:
            raise UserError(f"{self.address}: the daemon broke off: {error}") from error

    def json(self, method: str, path: str, content: object = None) -> Any:
        """The same with JSON both ways."""
        body = None if content is None else json.dumps(content).encode()
        text = self.call(method, path, body, "application/json")
        return json.loads(text) if text else None

    def stream(self, method: str, path: str, patience: float | None = _TIMEOUT) -> Iterator[bytes]:
        """An answer that is too large for memory, or comes bit by bit; `patience` are the seconds without a byte."""
        answer = self._request(method, path, None, "", patience)
        while data := answer.read1(1 << 20):
            yield data


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip() or "it doesn't say why"
