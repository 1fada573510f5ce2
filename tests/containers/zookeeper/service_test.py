"""ZooKeeper in a container: its own client makes a node, which outlives a stop."""

from collections.abc import Iterator

import pytest

from tests.containers.built_image import Image
from tests.containers.service import Service, said, service, stop

CLIENT = "/usr/local/bin/cli.sh"


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(Image(), tmp_path_factory.mktemp("docker")) as running:
        yield running


def test_a_node_outlives_a_stop(zookeeper: Service) -> None:
    container = zookeeper.ready(ZOOKEEPER_PORT="2200", ZOOKEEPER_HEAP_MB="64")
    assert "Created /route" in said(container, CLIENT, "create", "/route", "10.0.0.0/8")
    assert stop(container) == 143
    container.start()
    zookeeper.wait_until_well(container)
    assert "10.0.0.0/8" in said(container, CLIENT, "get", "/route").splitlines()
    # The server wrote its own log, too.
    assert b"2200" in container.logs()


def test_a_wrong_variable_is_named(zookeeper: Service) -> None:
    zookeeper.refuses("error: ZOOKEEPER_PORT='x': expected a number from 1 to 65535", ZOOKEEPER_PORT="x")
    zookeeper.refuses("error: ZOOKEEPER_SERVERS='zk1': expected words HOST:PORT:PORT", ZOOKEEPER_SERVERS="zk1")
    zookeeper.refuses(
        "error: ZOOKEEPER_ID='2': expected a number from 1 to 1", ZOOKEEPER_SERVERS="a:1:2", ZOOKEEPER_ID="2"
    )
    zookeeper.refuses("error: ZOOKEEPER_ID='2': expected nothing", ZOOKEEPER_ID="2")
