"""//farm:check and workers of another server: what is found at an address is said in one sentence."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest

from tests.farm.client import Client
from tests.farm.farm import Farm, error
from tests.integration.workspace import runfile
from tools.farm.main import running_roots
from tools.farm.services import accepts
from tools.farm.settings import State


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Farm:
    """A farm's folder in which nothing runs; the first check unpacks the roots."""
    farm = Farm(tmp_path_factory.mktemp("farm"))
    said = error(farm.command("check", "grpc://127.0.0.1:8995"))
    assert "nothing answers there (Connection refused); is the server running" in said
    return farm


@contextmanager
def other_api(farm: Farm, port: int, major: int) -> Iterator[str]:
    """Run other_api.py."""
    roots = running_roots(State(farm.state))
    assert roots is not None
    script = str(runfile("tests/farm/other_api.py"))
    words = ["python3", "-IB", "/tmp/other_api.py", str(port), str(major)]
    line = roots.enter(farm.state, words, options=("--ro-bind", script, "/tmp/other_api.py"))
    with subprocess.Popen(line, stderr=subprocess.PIPE) as server:
        deadline = time.monotonic() + 60
        while not accepts(port):
            assert server.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        yield f"grpc://127.0.0.1:{port}"
        server.kill()


def test_another_version(farm: Farm, tmp_path: Path) -> None:
    wanted = "speaks the Remote Execution API 3.0 to 3.0, and Bazel needs 2.0 or a later 2.x"
    with other_api(farm, 8996, 3) as address:
        assert f"{address}: {wanted}" in error(farm.command("check", address))
        # Workers don't start for such a server.
        assert wanted in error(farm.up("--workers", "1", "--server", address))
        assert not farm.status()["running"]
        # Nor does Bazel use it.
        client = Client(tmp_path, {"a": "echo a > $@"})
        done = client.bazel("build", "//:a", "--config=farm", f"--remote_executor={address}")
        client.bazel("shutdown")
    assert done.code != 0
    assert "API versions" in done.err, done.err


def test_another_api(farm: Farm) -> None:
    with other_api(farm, 8997, 0) as address:
        assert "speaks gRPC, but not the Remote Execution API" in error(farm.command("check", address))


def test_another_program(farm: Farm) -> None:
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{server.server_port}"
        said = error(farm.command("check", f"grpc://{place}"))
        assert "doesn't speak gRPC ('HTTP/1.0 200 OK'); is this another program's port?" in said
        assert "doesn't speak TLS" in error(farm.command("check", f"grpcs://{place}"))
        server.shutdown()


def test_mistakes(farm: Farm) -> None:
    assert "farm.example: expected grpc://HOST:PORT" in error(farm.command("check", "farm.example"))
    assert "/nowhere: no such file" in error(farm.command("check", "grpcs://a:1", "--tls-authority", "/nowhere"))
