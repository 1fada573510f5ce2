"""Settings: what goes together, what is said of mistakes, and that they survive being stored."""

from pathlib import Path
from typing import Any

import pytest

from tools.farm.settings import Settings, check, default_state
from tools.lib.errors import UserError


def test_they_survive_being_stored() -> None:
    settings = Settings(3, 9000, properties=("pool=big",))
    assert Settings.from_json(settings.to_json()) == settings


def test_addresses(tmp_path: Path) -> None:
    assert Settings(1, 9000).address == "grpc://127.0.0.1:9000"
    assert (
        Settings(1, 9000, name="farm.example", tls_certificate="c", tls_key="k").address == "grpcs://farm.example:9000"
    )
    assert Settings(1, 9000, listen="0.0.0.0", tls=True).address == "grpcs://localhost:9000"
    assert Settings(1, server="grpc://other:1").address == "grpc://other:1"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"workers": -1}, "--workers -1: expected 0 or more"),
        ({"port": 70000}, "--port 70000: expected a port"),
        ({"tls_key": "/nowhere"}, "--tls-key /nowhere: no such file"),
        ({"properties": ("pool",)}, "--property pool: expected KEY=VALUE"),
        ({"listen": "0.0.0.0"}, "only with TLS and tokens"),
        ({"tls": True, "tls_authority": __file__}, "--tls makes a certificate of the farm's own: give no other"),
        ({"tls": True, "server": "grpc://other:1"}, "--tls makes a certificate of the farm's own: give no other"),
        ({"server": "http://other"}, "expected grpc://HOST:PORT"),
        ({"server": "grpc://other:1", "workers": 0}, "--server is for workers"),
    ],
)
def test_mistakes(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        check(Settings(**({"workers": 1} | changes)))


def test_certificate_and_key_belong_together(tmp_path: Path) -> None:
    (tmp_path / "c").touch()
    with pytest.raises(UserError, match="give both"):
        check(Settings(1, tls_certificate=str(tmp_path / "c")))
    with pytest.raises(UserError, match="--tls-authority: name the certificates"):
        check(Settings(1, tls_certificate=str(tmp_path / "c"), tls_key=str(tmp_path / "c")))


def test_state_is_in_the_users_cache() -> None:
    assert default_state({"HOME": "/home/jane"}) == Path("/home/jane/.cache/contrail-forge/farm")
    assert default_state({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/contrail-forge/farm")
    with pytest.raises(UserError, match="HOME is not set"):
        default_state({})
