"""Downloads against a server on loopback: resumed, verified, the next mirror on failure."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tools.launcher import fetch
from tools.launcher.fetch import Fetcher, Progress
from tools.lib.errors import UserError
from tools.lib.locks import Package
from tools.roots.mirrors import Mirrors

CONTENT = bytes(range(256)) * 4096
PACKAGE = Package(
    "",
    "hello",
    "1.0-1",
    "amd64",
    hashlib.sha256(CONTENT).hexdigest(),
    len(CONTENT),
    "debian",
    "pool/hello.deb",
)


class _Server(ThreadingHTTPServer):
    """Serves CONTENT at /debian; /cut ends each answer early; /other has other bytes; else 404."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str]] = []

    def base(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        place = self.path.split("/")[1]
        self.server.asked.append((place, wanted))
        start = int(wanted[len("bytes=") : -1]) if wanted and place != "whole" else 0
        body = CONTENT[start:]
        if place == "other":
            body = bytes(len(body))
        if place not in ("debian", "whole", "cut", "other"):
            self.send_error(404)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: 600_000 if place == "cut" else len(body)])

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


def _fetcher(folder: Path, *bases: str) -> tuple[Fetcher, io.StringIO]:
    log = io.StringIO()
    return Fetcher(Mirrors(bases, bases), folder, Progress(len(CONTENT), 1, log)), log


def test_an_interrupted_download_goes_on_where_it_stopped(server: _Server, tmp_path: Path) -> None:
    (tmp_path / f"{PACKAGE.sha256}.part").write_bytes(CONTENT[:1000])
    fetcher, _ = _fetcher(tmp_path, server.base("debian"))
    assert fetcher.fetch(PACKAGE).read_bytes() == CONTENT
    assert server.asked == [("debian", "bytes=1000-")]
    assert not list(tmp_path.glob("*.part"))


def test_a_server_that_ignores_the_range_is_taken_from_the_start(server: _Server, tmp_path: Path) -> None:
    (tmp_path / f"{PACKAGE.sha256}.part").write_bytes(CONTENT[:1000])
    fetcher, _ = _fetcher(tmp_path, server.base("whole"))
    assert fetcher.fetch(PACKAGE).read_bytes() == CONTENT


def test_a_connection_that_ends_early_is_tried_again_from_there(server: _Server, tmp_path: Path) -> None:
    fetcher, _ = _fetcher(tmp_path, server.base("cut"))
    assert fetcher.fetch(PACKAGE).read_bytes() == CONTENT
    assert server.asked == [("cut", ""), ("cut", "bytes=600000-")]


def test_a_broken_part_of_an_earlier_run_is_thrown_away(server: _Server, tmp_path: Path) -> None:
    (tmp_path / f"{PACKAGE.sha256}.part").write_bytes(bytes(5000))
    fetcher, _ = _fetcher(tmp_path, server.base("debian"))
    assert fetcher.fetch(PACKAGE).read_bytes() == CONTENT


def test_the_next_mirror_is_tried(server: _Server, tmp_path: Path) -> None:
    fetcher, log = _fetcher(
        tmp_path,
        "http://127.0.0.1:9/debian",
        server.base("gone"),
        server.base("other"),
        server.base("debian"),
    )
    assert fetcher.fetch(PACKAGE).read_bytes() == CONTENT
    assert [place for place, _ in server.asked] == ["gone", "other", "debian"]
    assert log.getvalue().count("127.0.0.1:9") == 1


def test_wrong_content_is_refused_and_not_kept(server: _Server, tmp_path: Path) -> None:
    fetcher, _ = _fetcher(tmp_path, server.base("other"))
    with pytest.raises(UserError, match="hello 1.0-1: .*other content than the lock's"):
        fetcher.fetch(PACKAGE)
    assert not list(tmp_path.iterdir())


def test_a_package_that_is_gone_everywhere_is_named_with_what_helps(server: _Server, tmp_path: Path) -> None:
    fetcher, _ = _fetcher(tmp_path, server.base("gone"))
    with pytest.raises(UserError, match=r"hello 1.0-1: .*404.*pool/hello.deb.*git pull.*DEBIAN_MIRRORS"):
        fetcher.fetch(PACKAGE)


def test_a_download_that_is_called_off_keeps_its_part(server: _Server, tmp_path: Path) -> None:
    (tmp_path / f"{PACKAGE.sha256}.part").write_bytes(CONTENT[:1000])
    fetcher, _ = _fetcher(tmp_path, server.base("debian"))
    fetcher.stopped.set()
    with pytest.raises(fetch.Stopped):
        fetcher.fetch(PACKAGE)
    assert (tmp_path / f"{PACKAGE.sha256}.part").read_bytes() == CONTENT[:1000]


def test_progress_counts_bytes_packages_and_per_cent() -> None:
    log = io.StringIO()
    progress = Progress(4_000_000, 2, log)
    progress.add(1_000_000)
    progress.add_package()
    progress.finish()
    assert log.getvalue().splitlines()[-1] == "bazelw: 1 of 4 MB, 1 of 2 packages, 25%"
