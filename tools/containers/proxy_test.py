"""Which way a request goes, by the variables of the environment."""

import ssl

import pytest

from tools.containers.proxy import find_way
from tools.lib.errors import UserError

_CONTEXT = ssl.create_default_context()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what these tests set."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://me:a%40b@proxy.test:3128")
    monkeypatch.setenv("HTTP_PROXY", "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "inside.test,10.0.0.1")


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "via"),
    [
        ("https://far.test/v2/?a=b", "proxy.test", 3128, "/v2/?a=b", "HTTPS_PROXY=http://proxy.test:3128"),
        ("http://far.test:81/v2/", "proxy.test", 3128, "http://far.test:81/v2/", "HTTP_PROXY=http://proxy.test:3128"),
        ("https://hub.inside.test/v2/", "hub.inside.test", 443, "/v2/", ""),
        ("http://10.0.0.1:5000/v2/", "10.0.0.1", 5000, "/v2/", ""),
        ("http://localhost:5000/v2/", "localhost", 5000, "/v2/", ""),
    ],
)
def test_the_way(url: str, host: str, port: int, target: str, via: str) -> None:
    way = find_way(url, _CONTEXT, 1)
    assert (way.connection.host, way.connection.port, way.target, way.via) == (host, port, target, via)


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:secret@proxy.test")
    with pytest.raises(UserError, match="^HTTPS_PROXY=socks5://proxy.test: expected http://HOST:PORT$"):
        find_way("https://far.test/", _CONTEXT, 1)
