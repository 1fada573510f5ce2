"""The settings of a worker in a container, from its environment."""

import os
import socket
from pathlib import Path

import pytest

from tools.farm import supervisor
from tools.farm.container import Wrong, address, is_well, settings_of
from tools.farm.settings import Settings, State

SERVER = {"FARM_SERVER": "grpc://farm:8980"}


def test_defaults() -> None:
    settings = settings_of({"FARM_SERVER": "grpc://farm"})
    assert (settings.server, settings.workers) == ("grpc://farm:8980", len(os.sched_getaffinity(0)))
    assert (settings.token, settings.properties, settings.cache_size) == ("", (), 50_000_000_000)


def test_everything(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    settings = settings_of(
        {
            "FARM_SERVER": "grpcs://[::1]:1234",
            "FARM_TOKEN_FILE": str(token),
            "FARM_TLS_AUTHORITY": str(token),
            "FARM_JOBS": "3",
            "FARM_PROPERTIES": "gpu=yes  disk=fast",
            "FARM_CACHE_GB": "7",
        }
    )
    assert settings == Settings(
        workers=3,
        server="grpcs://[::1]:1234",
        token=str(token),
        tls_authority=str(token),
        properties=("gpu=yes", "disk=fast"),
        cache_size=7_000_000_000,
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "FARM_SERVER='': expected grpc://HOST:PORT, or grpcs://HOST:PORT with TLS"),
        ({"FARM_SERVER": "http://farm:80"}, "FARM_SERVER='http://farm:80': expected grpc://"),
        ({"FARM_SERVER": "grpc://farm:port"}, "FARM_SERVER='grpc://farm:port': expected grpc://"),
        ({"FARM_SERVER": "grpc://me:word@farm"}, "expected grpc://"),
        ({"FARM_SERVER": "grpcs://farm"}, "FARM_TOKEN_FILE='': expected the file with a worker's token"),
        (SERVER | {"FARM_TOKEN_FILE": "/none"}, "FARM_TOKEN_FILE='/none': expected a file that user"),
        (SERVER | {"FARM_TOKEN_FILE": __file__}, "expected a grpcs:// address in FARM_SERVER"),
        (SERVER | {"FARM_JOBS": "0"}, "FARM_JOBS='0': expected a number from 1 to 999"),
        (SERVER | {"FARM_JOBS": "many"}, "FARM_JOBS='many': expected a number from 1 to 999"),
        (SERVER | {"FARM_CACHE_GB": "1.5"}, "FARM_CACHE_GB='1.5': expected a number from 1 to 1000000"),
        (SERVER | {"FARM_PROPERTIES": "a=b gpu"}, "FARM_PROPERTIES='gpu': expected KEY=VALUE"),
    ],
)
def test_what_is_wrong(environment: dict[str, str], message: str) -> None:
    with pytest.raises(Wrong) as raised:
        settings_of(environment)
    assert message in str(raised.value)


def test_addresses() -> None:
    assert address("grpc://farm") == ("farm", 8980)
    assert address("grpcs://[::1]:99") == ("::1", 99)


def test_health(tmp_path: Path) -> None:
    state = State(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = f"grpc://127.0.0.1:{listener.getsockname()[1]}"
        state.settings.write_text(Settings(workers=1, server=server).to_json())

        def well(phase: str, pid: int) -> bool:
            state.services.write_text(f'{{"phase": "{phase}", "services": {{"casd": {{"pid": {pid}}}}}}}')
            return is_well(state)

        assert not is_well(state)
        assert well(supervisor.READY, os.getpid())
        assert not well(supervisor.STARTING, os.getpid())
        assert not well(supervisor.READY, 0)
    assert not well(supervisor.READY, os.getpid())
