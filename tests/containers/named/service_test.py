"""BIND in a container: its zones, recursion, reload, and how it ends. The client is dig, in the container."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.containers.built_image import Image
from tests.containers.docker_client import wait_for
from tests.containers.service import Service, archive, said, service, stop

ZONE = """$TTL 60
@ IN SOA ns hostmaster ( {serial} 3600 600 86400 60 )
@ IN NS ns
ns IN A 192.0.2.1
www IN A {address}
"""
PLACE = "data/forge.example.zone"


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(Image(), tmp_path_factory.mktemp("docker")) as running:
        yield running


def dig(container: Any, name: str, port: int) -> str:
    return said(container, "dig", "@127.0.0.1", "-p", str(port), "+time=60", "+tries=1", name, "A")


def test_zones_recursion_and_reload(named: Service) -> None:
    zone = {PLACE: ZONE.format(serial=1, address="192.0.2.80")}
    first = named.ready(zone, NAMED_PORT="5301")
    answer = dig(first, "www.forge.example", 5301)
    assert "status: NOERROR" in answer and "192.0.2.80" in answer and " aa " in answer
    assert "status: NXDOMAIN" in dig(first, "none.forge.example", 5301)
    assert "status: REFUSED" in dig(first, "www.other.example", 5301)
    # Another one, beside it, has no zone; it asks the first.
    settings = {"NAMED_FORWARDERS": "127.0.0.1@5301", "NAMED_RECURSION": "127.0.0.1", "NAMED_DNSSEC": "no"}
    second = named.ready(None, f"container:{first.id}", NAMED_PORT="5302", **settings)
    answer = dig(second, "www.forge.example", 5302)
    assert "192.0.2.80" in answer and " aa " not in answer
    first.put_archive("/", archive({PLACE: ZONE.format(serial=2, address="192.0.2.81")}, newer=3600))
    first.kill("SIGHUP")
    wait_for("the new zone", lambda: "192.0.2.81" in dig(first, "www.forge.example", 5301), first)
    assert stop(second) == 0
    assert stop(first) == 0


def test_a_wrong_variable_is_named(named: Service) -> None:
    named.refuses("error: NAMED_PORT='x': expected a number from 1 to 65535", NAMED_PORT="x")
    named.refuses("error: NAMED_RECURSION='all': expected IP addresses or networks", NAMED_RECURSION="all")
    named.refuses("error: NAMED_FORWARDERS='dns': expected IP addresses", NAMED_FORWARDERS="dns")
    named.refuses("error: NAMED_DNSSEC='yes': expected one of: auto no", NAMED_DNSSEC="yes")
    named.refuses("error: the zone file='/data/a.example.zone': expected a zone", {"data/a.example.zone": "@ IN\n"})
