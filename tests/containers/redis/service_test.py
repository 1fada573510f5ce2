"""Redis in a container: its variables, its data, how it ends."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.containers.built_image import Image
from tests.containers.docker_client import loaded, wait_for

IMAGE = Image()
HEALTH = "/usr/local/bin/health.sh"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with loaded(IMAGE, tmp_path_factory.mktemp("docker")) as (client, _):
        yield client


@pytest.fixture
def start(client: Any) -> Iterator[Any]:
    """Starts containers, which end with the test."""
    started = []

    def run(**settings: Any) -> Any:
        started.append(client.containers.run(IMAGE.tag, detach=True, network_mode="none", **settings))
        return started[-1]

    yield run
    for container in started:
        container.remove(force=True, v=True)


def answers(container: Any) -> bool:
    return bool(container.exec_run(HEALTH).exit_code == 0)


def cli(container: Any, *words: str, **settings: Any) -> str:
    done = container.exec_run(["redis-cli", *words], **settings)
    assert done.exit_code == 0, done.output
    text: str = done.output.decode().strip()
    return text


def test_data_outlive_a_stop(start: Any) -> None:
    container = start()
    wait_for("Redis answers", lambda: answers(container), container)
    assert cli(container, "set", "route", "10.0.0.0/8") == "OK"
    container.stop(timeout=120)
    assert container.wait()["StatusCode"] == 0
    container.start()
    wait_for("Redis answers again", lambda: answers(container), container)
    assert cli(container, "get", "route") == "10.0.0.0/8"


def test_docker_finds_it_healthy(start: Any) -> None:
    container = start()

    def healthy() -> bool:
        container.reload()
        return bool(container.attrs["State"]["Health"]["Status"] == "healthy")

    wait_for("docker's health check", healthy, container)


def test_a_password_is_asked_for_and_isn_t_an_argument(start: Any) -> None:
    container = start(environment={"REDIS_PASSWORD": "s3cret-word", "REDIS_PORT": "7000"})
    wait_for("Redis answers", lambda: answers(container), container)
    assert "NOAUTH" in cli(container, "-p", "7000", "get", "route")
    assert cli(container, "-p", "7000", "ping", environment={"REDISCLI_AUTH": "s3cret-word"}) == "PONG"
    arguments = container.exec_run(["sh", "-c", "cat /proc/[0-9]*/cmdline"]).output
    assert b"redis-server" in arguments and b"s3cret-word" not in arguments
    assert b"s3cret-word" not in container.logs()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"REDIS_PORT": "70000"}, "error: REDIS_PORT='70000': expected a number from 1 to 65535"),
        ({"REDIS_PORT": "abc"}, "error: REDIS_PORT='abc': expected a number from 1 to 65535"),
        ({"REDIS_APPENDONLY": "maybe"}, "error: REDIS_APPENDONLY='maybe': expected one of: yes no"),
        ({"REDIS_MAXMEMORY_MB": "-1"}, "error: REDIS_MAXMEMORY_MB='-1': expected a number from 0 to 999999999"),
        ({"REDIS_BIND": "localhost"}, "error: REDIS_BIND='localhost': expected IP addresses, or * for all"),
        ({"REDIS_PASSWORD_FILE": "/none"}, "error: REDIS_PASSWORD_FILE='/none': expected a file that may be read"),
        ({"REDIS_PASSWORD": "a b"}, "error: REDIS_PASSWORD: it has a character besides"),
    ],
)
def test_a_wrong_variable_is_named(start: Any, environment: dict[str, str], message: str) -> None:
    container = start(environment=environment)
    assert container.wait()["StatusCode"] == 64
    assert message in container.logs().decode()
