"""Adding kernels by URL, from a server on loopback that serves files of the right names."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tools.kernels.add import main
from tools.lib.errors import UserError
from tools.lib.locks import Lock, write_lock

PAIR = ("linux-headers-5.15.0-91-generic_5.15.0-91.101_amd64.deb", "linux-headers-5.15.0-91_5.15.0-91.101_all.deb")
RPM = "kernel-devel-5.14.0-362.el9.x86_64.rpm"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name is http.server's
        name = self.path.rpartition("/")[2]
        if self.path.startswith("/gone/"):
            self.send_error(404)
            return
        body = name.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + (1 if self.path.startswith("/cut/") else 0)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("kernels", "roots"):
        (tmp_path / name).mkdir()
    for number, suite in ((11, "jammy"), (12, "bookworm")):
        lock = Lock(f"kbuild-{suite}", (), links={"usr/bin/gcc": f"gcc-{number}"})
        write_lock(tmp_path / f"roots/kbuild-{suite}.lock.json", lock)
    return tmp_path


def words(base: str, *names: str, sha256: str = "") -> list[str]:
    found = []
    for name in names:
        found += ["--url", f"{base}/{name}", "--sha256", sha256 or hashlib.sha256(name.encode()).hexdigest()]
    return found


def add(checkout: Path, *arguments: str) -> dict[str, object]:
    main([*arguments, "--workspace", str(checkout)])
    entries = json.loads((checkout / "kernels/catalogue.json").read_text())["kernels"]
    return {entry["release"]: entry for entry in entries}


def test_an_ubuntu_pair(server: str, checkout: Path) -> None:
    entries = add(checkout, "5.15.0-91-generic", *words(server, *PAIR), "--root", "kbuild-jammy")
    assert entries == {
        "5.15.0-91-generic": {
            "release": "5.15.0-91-generic",
            "line": "5.15",
            "flavour": "generic",
            "suite": "",
            "compiler": "gcc-11",
            "root": "kbuild-jammy",
            "packages": {
                "headers": [
                    "linux-headers-5.15.0-91-generic=5.15.0-91.101",
                    "linux-headers-5.15.0-91=5.15.0-91.101",
                ],
                "image": [],
            },
            "origin": "url",
        }
    }
    packages = json.loads((checkout / "kernels/kernels.lock.json").read_text())["packages"]
    assert packages[0] == {
        "name": "linux-headers-5.15.0-91",
        "version": "5.15.0-91.101",
        "arch": "all",
        "sha256": hashlib.sha256(PAIR[1].encode()).hexdigest(),
        "size": len(PAIR[1]),
        "url": f"{server}/{PAIR[1]}",
    }


def test_an_rpm_beside_it_and_the_same_again(server: str, checkout: Path) -> None:
    release = "5.14.0-362.el9.x86_64"
    add(checkout, "5.15.0-91-generic", *words(server, *PAIR), "--root", "kbuild-jammy")
    first = add(checkout, release, *words(server, RPM), "--root", "kbuild-jammy", "--compiler", "gcc-11")
    assert list(first) == [release, "5.15.0-91-generic"]
    assert add(checkout, release, *words(server, RPM), "--root", "kbuild-jammy") == first


@pytest.mark.parametrize(
    ("release", "names", "prefix", "more", "message"),
    [
        ("5.15.0-91-generic", PAIR, "", ["--root", "kbuild-noble"], "no such root; there are: kbuild-bookworm"),
        ("5.15.0-91-generic", PAIR, "", [], "--url needs --root"),
        ("5.15.0-92-generic", PAIR, "", ["--root", "kbuild-jammy"], "none of the packages .* has its headers"),
        ("5.15.0-91-generic", ("headers.zip",), "", ["--root", "kbuild-jammy"], "expected a file name like NAME"),
        ("5.15.0-91-generic", PAIR, "/cut", ["--root", "kbuild-jammy"], "the connection ended after"),
        ("generic", PAIR, "", ["--root", "kbuild-jammy"], "expected a kernel release such as"),
    ],
)
def test_mistakes(
    server: str, checkout: Path, release: str, names: tuple[str, ...], prefix: str, more: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        add(checkout, release, *words(server + prefix, *names), *more)
    assert not list((checkout / "kernels").iterdir())


def test_a_wrong_digest(server: str, checkout: Path) -> None:
    with pytest.raises(UserError, match=f"its SHA-256 is {hashlib.sha256(PAIR[0].encode()).hexdigest()}, expected 000"):
        add(checkout, "5.15.0-91-generic", *words(server, *PAIR, sha256="0" * 64), "--root", "kbuild-jammy")
    with pytest.raises(UserError, match="expected 64 hexadecimal digits"):
        add(checkout, "5.15.0-91-generic", *words(server, *PAIR, sha256="abc"), "--root", "kbuild-jammy")
    assert not list((checkout / "kernels").iterdir())


def test_a_url_that_is_not_there(server: str, checkout: Path) -> None:
    name = "linux-headers-5.15.0-91-generic_5_amd64.deb"
    with pytest.raises(UserError, match=r"cannot fetch: HTTP Error 404"):
        add(checkout, "5.15.0-91-generic", *words(f"{server}/gone", name), "--root", "kbuild-jammy")
    with pytest.raises(UserError, match=r"cannot fetch: .*refused"):
        add(checkout, "5.15.0-91-generic", *words("http://127.0.0.1:1", name), "--root", "kbuild-jammy")


def test_options_that_need_each_other(server: str, checkout: Path) -> None:
    with pytest.raises(UserError, match="1 --url but 0 --sha256"):
        add(checkout, "5.15.0-91-generic", "--url", f"{server}/{PAIR[0]}")
    with pytest.raises(UserError, match="go with --url"):
        add(checkout, "6.1.0-56-amd64", "--root", "kbuild-bookworm")
