"""//farm:check and workers of another server: what is found at an address is said in one sentence."""

from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest

from tests.farm.client import Client
from tests.farm.farm import Farm, error


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Farm:
    """A farm's folder in which nothing runs; the first check unpacks the roots."""
    farm = Farm(tmp_path_factory.mktemp("farm"))
    said = error(farm.command("check", "grpc://127.0.0.1:8995"))
    assert "nothing answers there (Connection refused); is the server running" in said
    return farm


def test_another_version(farm: Farm, tmp_path: Path) -> None:
    wanted = "speaks the Remote Execution API 3.0 to 3.0, and Bazel needs 2.0 or a later 2.x"
    address = "grpc://127.0.0.1:8996"
    with farm.script("other_api.py", 8996, "3"):
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
    address = "grpc://127.0.0.1:8997"
    with farm.script("other_api.py", 8997, "0"):
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
