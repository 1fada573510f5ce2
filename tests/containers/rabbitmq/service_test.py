"""RabbitMQ in a container: a client publishes and consumes, data outlive a stop, secrets are nowhere."""

from collections.abc import Iterator

import pytest

from tests.containers.built_image import Image
from tests.containers.service import Service, said, service, stop

PASSWORD, COOKIE = "s3cret-word", "S3CRETCOOKIE"


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(Image(), tmp_path_factory.mktemp("docker")) as running:
        yield running


def test_messages_outlive_a_stop(rabbitmq: Service) -> None:
    import pika
    from pika.exceptions import ProbableAuthenticationError

    files = {"data/password": PASSWORD}
    settings = {"RABBITMQ_USER": "forge", "RABBITMQ_PASSWORD_FILE": "/data/password", "RABBITMQ_COOKIE": COOKIE}
    container = rabbitmq.ready(files, "host", RABBITMQ_PORT="18672", **settings)
    port = rabbitmq.daemon.forward(18672)

    def connection(password: str) -> pika.BlockingConnection:
        return pika.BlockingConnection(
            pika.ConnectionParameters(
                "127.0.0.1",
                port,
                credentials=pika.PlainCredentials("forge", password),
                heartbeat=0,
                socket_timeout=280,
                stack_timeout=280,
                blocked_connection_timeout=280,
            )
        )

    with connection(PASSWORD) as opened:
        channel = opened.channel()
        channel.queue_declare("routes", durable=True)
        channel.confirm_delivery()
        kept = pika.BasicProperties(delivery_mode=2)
        channel.basic_publish("", "routes", b"10.0.0.0/8", kept, mandatory=True)
    with pytest.raises(ProbableAuthenticationError):
        connection("wrong-word")
    words = said(container, "sh", "-c", "cat /proc/[0-9]*/cmdline")
    assert "beam.smp" in words
    for secret in (PASSWORD, COOKIE):
        assert secret not in words
        assert secret.encode() not in container.logs()
    assert stop(container) == 0
    container.start()
    rabbitmq.wait_until_well(container)
    with connection(PASSWORD) as opened:
        channel = opened.channel()
        _, _, body = channel.basic_get("routes", auto_ack=True)
        assert body == b"10.0.0.0/8"
    assert stop(container) == 0


def test_a_wrong_variable_is_named(rabbitmq: Service) -> None:
    rabbitmq.refuses("error: RABBITMQ_PORT='x': expected a number from 1 to 65535", RABBITMQ_PORT="x")
    rabbitmq.refuses("error: RABBITMQ_PASSWORD='': expected the password of forge", RABBITMQ_USER="forge")
    rabbitmq.refuses("error: RABBITMQ_NAME='rabbit': expected NAME@HOST", RABBITMQ_NAME="rabbit")
    rabbitmq.refuses(
        "error: RABBITMQ_PASSWORD_FILE='/none': expected a file that may be read", RABBITMQ_PASSWORD_FILE="/none"
    )
