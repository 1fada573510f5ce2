"""HAProxy in a container: it balances, takes out what fails, and ends cleanly."""

import http.client
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.containers.built_image import Image
from tests.containers.docker_client import wait_for
from tests.containers.service import Service, service, stop

# A backend is HAProxy, too, with a configuration of its own.
BACKEND = """
frontend answer
    bind :{port}
    http-request return status 200 content-type text/plain string {word}
"""


@pytest.fixture(scope="module")
def haproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(Image(), tmp_path_factory.mktemp("docker")) as running:
        yield running


def ask(port: int, path: str = "/") -> str:
    """The text at a path of a port of this machine; "" when there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        return text if answer.status == 200 else ""
    return ""


def backend(haproxy: Service, word: str, port: int) -> Any:
    files = {"run/haproxy/own.cfg": BACKEND.format(port=port, word=word)}
    settings = {"HAPROXY_CONFIG_FILE": "/run/haproxy/own.cfg", "HAPROXY_STATUS_PORT": str(port + 1)}
    return haproxy.ready(files, "host", **settings)


def test_it_balances_and_takes_out_what_fails(haproxy: Service) -> None:
    one = backend(haproxy, "one", 18100)
    backend(haproxy, "two", 18200)
    settings = {
        "HAPROXY_SERVERS": "127.0.0.1:18100 127.0.0.1:18200",
        "HAPROXY_CHECK_PATH": "/",
        "HAPROXY_PORT": "18000",
    }
    front = haproxy.ready(None, "host", HAPROXY_STATUS_PORT="18001", HAPROXY_CHECK_SECONDS="1", **settings)
    service, status = haproxy.daemon.forward(18000), haproxy.daemon.forward(18001)
    wait_for("both answer", lambda: {ask(service) for _ in range(4)} == {"one", "two"}, front)
    assert stop(one) == 0

    def taken_out() -> bool:
        rows = [line.split(",") for line in ask(status, "/stats;csv").splitlines()]
        return any(row[:2] == ["servers", "server1"] and "DOWN" in row for row in rows)

    wait_for("the server that ended is taken out", taken_out, front)
    assert [ask(service) for _ in range(4)] == ["two"] * 4
    one.start()
    wait_for("it is back", lambda: {ask(service) for _ in range(4)} == {"one", "two"}, front)
    assert stop(front) == 0


def test_a_wrong_variable_is_named(haproxy: Service) -> None:
    haproxy.refuses("error: HAPROXY_SERVERS='': expected words HOST:PORT, or a configuration as HAPROXY_CONFIG_FILE")
    haproxy.refuses("error: HAPROXY_SERVERS='10.0.0.1': expected words HOST:PORT", HAPROXY_SERVERS="10.0.0.1")
    haproxy.refuses("error: HAPROXY_PORT='0': expected a number from 1 to 65535", HAPROXY_PORT="0")
    haproxy.refuses("error: HAPROXY_MODE='udp': expected one of: http tcp", HAPROXY_MODE="udp")
    haproxy.refuses("error: HAPROXY_CHECK_PATH='x': expected the path of a URL", HAPROXY_CHECK_PATH="x")
    haproxy.refuses("error: HAPROXY_CERT_FILE='/none': expected a file that may be read", HAPROXY_CERT_FILE="/none")
    haproxy.refuses(
        "error: HAPROXY_CONFIG_FILE='/run/haproxy/own.cfg': expected a configuration that HAProxy takes",
        {"run/haproxy/own.cfg": "frontend wrong\n    bound :1\n"},
        HAPROXY_CONFIG_FILE="/run/haproxy/own.cfg",
    )
