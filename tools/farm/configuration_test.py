"""The services' configuration is complete, and what is secret only its owner may read."""

import stat
from pathlib import Path

import yaml

from tools.farm.configuration import server_configuration, write_configuration
from tools.farm.settings import Settings, State

TEMPLATES = Path("farm")


def _plain(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


class _Loader(yaml.SafeLoader):
    """Reads BuildGrid's own tags as plain values."""


_Loader.yaml_multi_constructors = {"!": _plain}


def test_server() -> None:
    template = (TEMPLATES / "server.yml").read_text()
    plain = yaml.load(server_configuration(template, Settings(1, 9000, properties=("pool=a", "ISA=b")), 9001), _Loader)
    assert plain["server"] == [{"address": "127.0.0.1:9000", "insecure-mode": True}]
    assert "authorization" not in plain
    assert plain["connections"][1]["port"] == 9001
    assert plain["schedulers"][0]["property-set"]["match-property-keys"] == ["pool"]
    secured = Settings(1, 9000, listen="0.0.0.0", tls_certificate="c", tls_key="k", tls_authority="a")
    content = yaml.load(server_configuration(template, secured, 9001), _Loader)
    assert content["server"][0]["insecure-mode"] is False
    assert content["server"][0]["credentials"]["tls-server-key"] == "/farm/secrets/tls.key"
    assert content["authorization"]["acl-config"] == "/farm/access.yml"


def test_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    state = State(tmp_path / "farm")
    write_configuration(state, Settings(1), TEMPLATES, 9001)
    password = (state.secrets / "redis.password").read_text()
    assert len(password) == 64
    for path in (state.secrets / "redis.password", state.secrets / "token.key", state / "redis.conf"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.folder.stat().st_mode) == 0o700
    assert f"requirepass {password}\n" in (state / "redis.conf").read_text()
    write_configuration(state, Settings(1), TEMPLATES, 9001)
    assert (state.secrets / "redis.password").read_text() == password


def test_readers_may_not_write() -> None:
    content = yaml.safe_load((TEMPLATES / "access.yml").read_text())
    requests = {rule["subject"]: set(rule["requests"]) for rule in content[""]["allow"]}
    changing = {"UpdateActionResult", "BatchUpdateBlobs", "Write", "Execute", "CreateBotSession", "UpdateBotSession"}
    assert not requests["^reader:"] & changing
    assert not requests["^writer:"] & {"CreateBotSession", "UpdateBotSession"}
    assert "Execute" not in requests["^worker:"]
