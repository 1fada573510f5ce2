"""Only a clear no counts as gone, and only when every mirror says it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.kernels.availability import gone_packages, is_dropped
from tools.lib.locks import Package
from tools.roots.mirrors import Mirrors


class _Handler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:  # the name is http.server's
        codes = {"/one/here": 200, "/one/moved": 404, "/two/moved": 200, "/one/broken": 503, "/two/broken": 404}
        codes |= {"/one/index": 200, "/two/index": 200}
        self.send_response(codes.get(self.path, 404))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()


def _package(path: str) -> Package:
    return Package("", path, "1", "all", "0" * 64, 1, "debian", path)


def test_gone_is_what_no_mirror_has(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.kernels.availability.time.sleep", lambda seconds: None)
    mirrors = Mirrors((f"{server}/one", f"{server}/two"), ())
    packages = [_package(name) for name in ("here", "moved", "broken", "dropped")]
    assert {package.name for package in gone_packages(packages, mirrors)} == {"dropped"}


def test_an_unreachable_mirror_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.kernels.availability.time.sleep", lambda seconds: None)
    assert gone_packages([_package("here")], Mirrors(("http://127.0.0.1:9/debian",), ())) == set()


def test_dropped_is_what_mirrors_refuse_that_have_its_index(server: str) -> None:
    def places(name: str, *mirrors: str) -> list[tuple[str, str]]:
        return [(f"{server}/{mirror}/{name}", f"{server}/{mirror}/index") for mirror in mirrors]

    assert is_dropped(places("dropped", "one", "two"))
    assert not is_dropped(places("moved", "one", "two"))
    assert not is_dropped(places("dropped", "one", "no-mirror"))


def test_nothing_is_dropped_where_no_mirror_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.kernels.availability.time.sleep", lambda seconds: None)
    assert not is_dropped([("http://127.0.0.1:9/debian/dropped", "http://127.0.0.1:9/debian/index")])
