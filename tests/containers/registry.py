"""Debian's docker-registry for a test: with users, with TLS, and behind a connection that is cut.

It picks its port itself and says it in its log, so that nothing can be there before it.
"""

import base64
import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tools.roots.run_in_root import unpack

RUNFILES = Path.cwd()
_RUNTIME = RUNFILES.parent / "tool_runtime"
_PATIENCE = 120  # seconds for the registry to listen, on a machine that is busy
_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
ELSEWHERE = "registry.test"  # a name of the registry that nobody resolves: only a proxy leads there
USER, PASSWORD = "alice", "Tr0ub4dor&3-secret"


class Root:
    """The unpacked root, whose programs run in it with the test's network; `state` is /state there."""

    def __init__(self, folder: Path) -> None:
        self._tree, self.state = folder / "root", folder / "state"
        self.state.mkdir(parents=True)
        unpack(str(_RUNTIME), str(RUNFILES / "roots/registry.tar"), self._tree)
        for name in ("proc", "dev", "tmp", "state", "data"):
            (self._tree / name).mkdir(exist_ok=True)

    def words(self, *command: str, options: tuple[str, ...] = ()) -> list[str]:
        """The words that run a command in it."""
        return [
            str(_RUNTIME / "bin/bwrap"), "--die-with-parent", "--unshare-user", "--unshare-pid",
            "--ro-bind", str(self._tree), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
            "--bind", str(self.state), "/state", *options, "--chdir", "/state", "--clearenv",
            "--setenv", "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "--setenv", "HOME", "/tmp", "--", *command,
        ]  # fmt: skip

    def run(self, *command: str, given: bytes = b"") -> bytes:
        """What a command printed."""
        return subprocess.run(self.words(*command), input=given, capture_output=True, check=True).stdout

    def make_authority(self) -> Path:
        """Make state/tls.crt and tls.key, of localhost, signed by authority.crt, whose place is returned."""
        (self.state / "names").write_text(f"subjectAltName=DNS:localhost,DNS:{ELSEWHERE}")
        subject = ("-subj", "/CN=Test authority")
        new = ("openssl", "req", "-newkey", "rsa:2048", "-nodes")
        self.run(*new, "-x509", "-days", "30", *subject, "-keyout", "authority.key", "-out", "authority.crt")
        self.run(*new, "-subj", "/CN=localhost", "-keyout", "tls.key", "-out", "tls.csr")
        self.run(
            "openssl", "x509", "-req", "-in", "tls.csr", "-CA", "authority.crt", "-CAkey", "authority.key",
            "-CAcreateserial", "-days", "30", "-extfile", "names", "-out", "tls.crt",
        )  # fmt: skip
        return self.state / "authority.crt"


@contextmanager
def registry(root: Root, settings: Mapping[str, Any], data: tuple[str, ...] = ()) -> Iterator[int]:
    """The port of a registry with these settings; `data` are bubblewrap's words for its storage, /data."""
    storage = {"filesystem": {"rootdirectory": "/data"}, "cache": {"blobdescriptor": "inmemory"}}
    content = {"version": "0.1", "log": {"level": "info"}, "storage": storage, "http": {"addr": "127.0.0.1:0"}}
    content["http"] |= settings.get("http", {})
    content |= {key: value for key, value in settings.items() if key != "http"}
    (root.state / "config.yml").write_text(json.dumps(content))  # JSON is YAML
    log = root.state / "log"
    words = root.words("docker-registry", "serve", "/state/config.yml", options=data or ("--tmpfs", "/data"))
    with log.open("wb") as stream:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
    try:
        yield _port(process, log)
    finally:
        process.kill()  # its namespace ends with it
        process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if found := _LISTENING.search(log.read_text(errors="replace")):
            return int(found[1])
        time.sleep(0.05)
    raise RuntimeError(f"docker-registry doesn't listen:\n{log.read_text(errors='replace')}")


def with_users(root: Root) -> dict[str, Any]:
    """The settings by which only USER gets in."""
    made = root.run("htpasswd", "-niB", "-C", "4", USER, given=PASSWORD.encode())
    (root.state / "htpasswd").write_bytes(made)
    return {"auth": {"htpasswd": {"realm": "test", "path": "/state/htpasswd"}}}


class Proxy:
    """An HTTP proxy (RFC 9110, CONNECT) that leads to a port whatever host it is asked for; `asked` are these."""

    def __init__(self, port: int, refuse: bool = False) -> None:
        self.asked: list[str] = []
        self._target, self._refuse = port, refuse

    @contextmanager
    def serve(self) -> Iterator[int]:
        """The port it listens at."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                proxy.asked.append(f"{self.path} {self.headers.get('Proxy-Authorization', '')}".rstrip())
                self.send_response(407 if proxy._refuse else 200)
                self.end_headers()
                self.wfile.flush()
                if proxy._refuse:
                    return
                with socket.create_connection(("127.0.0.1", proxy._target)) as server:
                    back = threading.Thread(target=_pass_on, args=(server, self.connection), daemon=True)
                    back.start()
                    _pass_on(self.connection, server)
                    back.join()
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        with serving(Handler) as port:
            yield port


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Wire:
    """A TCP proxy to a port: counts what goes up, and cuts each connection of `cuts` after so many bytes."""

    def __init__(self, port: int, cuts: tuple[int, ...] = ()) -> None:
        self.up = 0
        self._cuts = list(cuts)
        self._target = port
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def cuts_left(self) -> int:
        """How many cuts haven't happened."""
        return len(self._cuts)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._copy, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._copy, args=(server, client, False), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, upward: bool) -> None:
        passed = 0
        try:
            while data := source.recv(65536):
                target.sendall(data)
                passed += len(data)
                if upward and self._cut(len(data), passed):
                    raise ConnectionError
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # A socket that is shut but open lets its sender wait for ever.
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _cut(self, count: int, passed: int) -> bool:
        with self._lock:
            self.up += count
            if self._cuts and passed >= self._cuts[0]:
                del self._cuts[0]
                return True
            return False


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port at which a handler serves."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Scripted:
    """A server that answers as no registry does: `answers` are (status, headers, body), in turn, the last for ever.

    Layers come side by side, so which request is the next isn't certain. `empty`: whether what is asked for by HEAD
    isn't there, out of turn.
    """

    answers: list[tuple[int, dict[str, str], bytes]]
    empty: bool = False
    asked: int = 0

    @contextmanager
    def serve(self) -> Iterator[int]:
        """The port it listens at."""
        script = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status, headers, body = script.answers[min(script.asked, len(script.answers) - 1)]
                if script.empty and self.command == "HEAD":
                    status, body = 404, b""
                else:
                    script.asked += 1
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body if self.command != "HEAD" else b"")

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer

            def log_message(self, format: str, *args: object) -> None:
                pass

        with serving(Handler) as port:
            yield port


class Tokens:
    """A token server: signs with a key of the root; the first `expired` tokens were over two minutes ago."""

    def __init__(self, root: Root, actions: tuple[str, ...] = ("pull", "push"), expired: int = 0) -> None:
        root.make_authority()
        self._root, self._actions, self.expired, self.given = root, actions, expired, 0
        self._chain = base64.b64encode(root.run("openssl", "x509", "-in", "tls.crt", "-outform", "DER")).decode()

    def settings(self, port: int) -> dict[str, Any]:
        """Those of a registry that believes it."""
        words = {"service": "registry", "issuer": "tests", "rootcertbundle": "/state/authority.crt"}
        return {"auth": {"token": {**words, "realm": f"http://127.0.0.1:{port}/token"}}}

    def token(self, scope: str) -> str:
        """A token (JWT, RFC 7519) for a scope."""
        now = int(time.time()) - (700 if self.given < self.expired else 10)
        self.given += 1
        kind, _, rest = scope.partition(":")
        access = [{"type": kind, "name": rest.rpartition(":")[0], "actions": self._actions}] if scope else []
        claims = {"iss": "tests", "sub": USER, "aud": "registry", "jti": str(self.given), "access": access}
        times = {"iat": now, "nbf": now, "exp": now + 600}
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._chain]}
        text = b".".join(_encode(json.dumps(part).encode()) for part in (header, claims | times))
        return (
            text + b"." + _encode(self._root.run("openssl", "dgst", "-sha256", "-sign", "tls.key", given=text))
        ).decode()

    @contextmanager
    def serve(self) -> Iterator[int]:
        """The port it listens at."""
        tokens = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                scope = parse_qs(urlsplit(self.path).query).get("scope", [""])[0]
                wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
                known = self.headers.get("Authorization") == wanted
                body = json.dumps({"token": tokens.token(scope)}).encode() if known else b"{}"
                self.send_response(200 if known else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        with serving(Handler) as port:
            yield port


def _encode(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
