"""A package mirror on loopback: what the outer repository cache has, under a lock's paths, with faults on demand."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.integration.workspace import cached_file

# What is wrong with a file: it isn't there; other bytes; the connection ends half-way, once or always.
GONE, OTHER_BYTES, CUT_ONCE, CUT = "gone", "other bytes", "cut once", "cut"


class Mirror(ThreadingHTTPServer):
    """Serves `files` (path below the host to a local file); `faults` says what goes wrong for which path."""

    daemon_threads = True

    def __init__(self, files: Mapping[str, Path]) -> None:
        """Bind a free port of loopback; `serving` starts the server."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.faults: dict[str, str] = {}
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        """The address before the paths."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_HEAD(self) -> None:
        path = self.path.lstrip("/")
        there = path in self.server.files and self.server.faults.get(path) != GONE
        self.send_response(200 if there else 404)
        self.end_headers()

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.server.requests.append(path)
        fault = self.server.faults.get(path, "")
        file = self.server.files.get(path)
        if fault == GONE or file is None:
            self.send_error(404)
            return
        content = file.read_bytes()
        if fault == OTHER_BYTES:
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault in (CUT, CUT_ONCE):
            self.wfile.write(content[: len(content) // 2])
            if fault == CUT_ONCE:
                del self.server.faults[path]
            self.close_connection = True
            return
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are kept in the server's list instead."""


@contextmanager
def serving(files: Mapping[str, Path]) -> Iterator[Mirror]:
    """A mirror that serves as long as the block runs."""
    with Mirror(files) as mirror:
        thread = threading.Thread(target=mirror.serve_forever, daemon=True)
        thread.start()
        try:
            yield mirror
        finally:
            mirror.shutdown()
            thread.join()


def locked_files(packages: list[dict[str, str]]) -> dict[str, Path]:
    """Where a mirror has the packages of a lock: ARCHIVE/PATH to the file in the outer repository cache."""
    return {
        f"{package['archive']}/{package['path']}": cached_file(package["sha256"])
        for package in packages
        if "path" in package and cached_file(package["sha256"]).exists()
    }
