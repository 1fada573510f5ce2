"""What is deployed is what //farm:up starts, and systemd's own rules for a unit's words are kept."""

import shlex
from pathlib import Path

import pytest

from tools.farm.deployment import write_deployment, write_root
from tools.farm.services import services
from tools.farm.settings import Settings, State
from tools.lib.errors import UserError

TEMPLATES = Path("farm")


def commands(folder: Path) -> dict[str, list[str]]:
    """Each unit's command."""
    found = {}
    for path in folder.glob("*.service"):
        (line,) = [line for line in path.read_text().splitlines() if line.startswith("ExecStart=")]
        found[path.stem.removeprefix("farm-")] = shlex.split(line.partition("=")[2].replace("$$", "$"))
    return found


def test_server(tmp_path: Path) -> None:
    settings = Settings(3)
    write_deployment("server", settings, TEMPLATES, tmp_path / "out")
    wanted = {}
    for service in services(Settings(0), State(Path("/farm")), 6379, ""):
        wanted[service.name] = list(service.command)
        if service.before:
            wanted[f"{service.name}-prepare"] = list(service.before)
    assert commands(tmp_path / "out/systemd") == wanted
    assert (tmp_path / "out/farm/server.yml").exists() and (tmp_path / "out/farm/secrets/token.key").exists()
    text = (tmp_path / "out/systemd/farm-buildgrid.service").read_text()
    assert "Requires=farm-postgres.service farm-redis.service farm-buildgrid-prepare.service\n" in text
    assert "RootDirectory=/opt/contrail-forge/server\n" in text
    prepare = (tmp_path / "out/systemd/farm-postgres-prepare.service").read_text()
    assert prepare.index("ConditionPathExists=!/farm/postgres/PG_VERSION") < prepare.index("[Service]")
    assert "ExecStartPost=" in (tmp_path / "out/systemd/farm-postgres.service").read_text()
    assert "ExecStartPost=" not in prepare


def test_a_root_that_cant_be_unpacked_leaves_nothing(tmp_path: Path) -> None:
    write_deployment("server", Settings(1), TEMPLATES, tmp_path / "out")
    (tmp_path / "root.tar").write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"cannot unpack root\.tar: "):
        write_root(Path("/bin/false"), [tmp_path / "root.tar"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_worker(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    settings = Settings(2, server="grpcs://farm.example:8980", token=str(token))
    write_deployment("worker", settings, TEMPLATES, tmp_path / "out")
    found = commands(tmp_path / "out/systemd")
    assert sorted(found) == ["casd", "worker-1", "worker-2"]
    assert found["worker-2"][-1] == "%H.2"
    assert "--bots-remote=https://farm.example:8980" in found["worker-1"]
    assert (tmp_path / "out/farm/secrets/worker.token").read_text() == "t"
    assert (tmp_path / "out/farm/worker/runner").stat().st_mode & 0o111
    assert not (tmp_path / "out/farm/server.yml").exists()


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a worker needs the server's address"):
        write_deployment("worker", Settings(1), TEMPLATES, tmp_path / "out")
    with pytest.raises(UserError, match="--tls is for //farm:up"):
        write_deployment("server", Settings(1, tls=True), TEMPLATES, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="isn't empty"):
        write_deployment("server", Settings(1), TEMPLATES, tmp_path)
