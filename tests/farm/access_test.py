"""Who may do what: a farm with TLS and tokens, with real Bazels that write, read, and are refused."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.farm.client import HELPER, Client, Gate
from tests.farm.farm import Farm, error
from tests.integration.workspace import Result
from tools.farm.credentials import VARIABLE
from tools.farm.token import make_token

OUTSIDE = "127.0.0.2"  # reaches the farm, and isn't in its certificate
RULES = {name: f"echo {name} > $@" for name in ("shared", "own", "tried", "remote", "refused")}
UNKNOWN = "UNAUTHENTICATED: No valid authorization or authentication provided"


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """One farm for the tests of this module: a server, as for other machines, without workers."""
    farm = Farm(tmp_path_factory.mktemp("farm"))
    started = farm.up("--workers", "0", "--tls", "--listen", "0.0.0.0")
    assert started.code == 0, started.err + farm.log("farm")
    assert f"common --tls_certificate={farm.authority}" in started.out
    yield farm
    farm.command("down")


def rack(farm: Farm, folder: Path, token: Path) -> tuple[Farm, Result]:
    """Start a worker as another machine would, with its own folder."""
    rack = Farm(folder, roots=farm)
    given = ("--server", farm.secure_address, "--token", str(token), "--tls-authority", str(farm.authority))
    return rack, rack.up("--workers", "1", *given)


@pytest.fixture(scope="module")
def worker(farm: Farm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """The worker."""
    worker, started = rack(farm, tmp_path_factory.mktemp("rack"), farm.token("worker"))
    assert started.code == 0, started.err + worker.log("worker-1")
    yield worker
    worker.command("down")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One Bazel, which forgets between two builds."""
    client = Client(tmp_path_factory.mktemp("client"), RULES)
    yield client
    client.bazel("shutdown")


def words(farm: Farm, configuration: str, address: str = "", authority: Path | None = None) -> list[str]:
    """The options that user.bazelrc would have."""
    address = address or farm.secure_address
    option = "--remote_executor" if configuration == "farm" else "--remote_cache"
    host = address.partition("://")[2].rpartition(":")[0]
    found = [f"--config={configuration}", f"{option}={address}", f"--credential_helper={host}={HELPER}"]
    # One Bazel plays several people: it must not remember the token of the one before. Nor does the server get better.
    found += ["--credential_helper_cache_duration=0", "--remote_retries=1"]
    return [*found, f"--tls_certificate={authority or farm.authority}"]


def build(farm: Farm, client: Client, configuration: str, target: str, role: str) -> Result:
    """Build a target from nothing with a token of this role."""
    extra = {VARIABLE: str(farm.token(role))}
    done = client.fresh_build(f"//:{target}", *words(farm, configuration), extra=extra)
    assert client.output(target) == f"{target}\n"
    return done


def test_what_continuous_integration_built_developers_take(farm: Farm, client: Client) -> None:
    written = build(farm, client, "cache", "shared", "writer")
    assert (written.code, "1 linux-sandbox" in written.err, "WARNING" in written.err) == (0, True, False), written.err
    taken = build(farm, client, "reader", "shared", "reader")
    assert (taken.code, "1 remote cache hit" in taken.err, "WARNING" in taken.err) == (0, True, False), taken.err


def test_developers_build_what_is_not_there_and_keep_it_to_themselves(farm: Farm, client: Client) -> None:
    done = build(farm, client, "reader", "own", "reader")
    assert (done.code, "1 linux-sandbox" in done.err, "WARNING" in done.err) == (0, True, False), done.err
    # Who tries to write is refused by the server, and has what was built all the same.
    tried = build(farm, client, "cache", "tried", "reader")
    assert (tried.code, "Error while uploading artifact" in tried.err) == (0, True), tried.err
    for target in ("own", "tried"):
        assert "1 linux-sandbox" in build(farm, client, "cache", target, "writer").err


def test_writers_execute_on_another_machine(farm: Farm, worker: Farm, client: Client) -> None:
    assert [(entry["name"], entry["pid"] > 0) for entry in named(worker)] == [("casd", True), ("worker-1", True)]
    done = build(farm, client, "farm", "remote", "writer")
    assert (done.code, "1 remote" in done.err) == (0, True), done.err


def check(farm: Farm, address: str, *options: str) -> Result:
    """Run //farm:check."""
    return farm.command("check", address, "--tls-authority", str(farm.authority), *options)


def test_check_says_what_is_wrong(farm: Farm) -> None:
    good = check(farm, farm.secure_address, "--token", str(farm.token("reader")))
    assert good.out == f"{farm.secure_address}: Remote Execution API 2.0 to 2.2, cache and execution\n", good.err
    assert "the server wants a token" in error(check(farm, farm.secure_address))
    said = error(check(farm, f"grpcs://{OUTSIDE}:{farm.port}"))
    assert "certificate isn't accepted: IP address mismatch, certificate is not valid for '127.0.0.2'; use" in said
    said = error(check(farm, f"grpc://localhost:{farm.port}"))
    assert f"the server there wants TLS; use {farm.secure_address}" in said


def named(farm: Farm) -> list[dict[str, Any]]:
    """The services that run in a farm's folder."""
    return [{"name": name, **record} for name, record in farm.status()["services"].items()]


def test_a_server_with_the_certificate_of_another(farm: Farm, tmp_path: Path) -> None:
    made = farm.command("certificate", "--name", "other.example", "--output", str(tmp_path / "other"))
    assert made.code == 0, made.err
    other = Farm(tmp_path, 8989, roots=farm)
    certificate, key, authority = (str(tmp_path / "other" / name) for name in ("tls.crt", "tls.key", "authority.crt"))
    given = ("--tls-certificate", certificate, "--tls-key", key, "--tls-authority", authority)
    said = error(other.up("--workers", "0", *given))
    assert "certificate is not valid for 'localhost'" in said
    assert not other.status()["running"]
    started = other.up("--workers", "0", "--name", "other.example", *given)
    assert (started.code, other.command("down").code) == (0, 0), started.err


def foreign(folder: Path, role: str) -> Path:
    """A token that is signed with another key."""
    token = folder / "token"
    token.touch(0o600)
    token.write_text(make_token("another key", role, "mallory", int(time.time()), 3600))
    return token


def test_workers_with_a_token_that_does_not_work(farm: Farm, tmp_path: Path) -> None:
    other, started = rack(farm, tmp_path, foreign(tmp_path, "worker"))
    assert "the server doesn't accept this token (of worker:mallory); ask who runs it for another" in error(started)
    assert not other.status()["running"]


def refused(farm: Farm, client: Client, token: Path, said: str, *options: str) -> None:
    """Assert that remote execution fails with these words."""
    extra = {VARIABLE: str(token)}
    # Waiting for a server that starts again would only take time.
    done = client.bazel("build", "//:refused", *options, "--remote_retries=0", extra=extra)
    assert done.code != 0, done.err
    assert said in done.err, done.err
    assert "\tat " not in done.err


def test_readers_may_not_execute(farm: Farm, client: Client) -> None:
    refused(farm, client, farm.token("reader"), "Error while uploading artifact", *words(farm, "farm"))


def test_no_token(farm: Farm, client: Client, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    refused(
        farm, client, missing, f"{missing}: No such file or directory; the farm wants a token", *words(farm, "farm")
    )
    without = [word for word in words(farm, "farm") if not word.startswith("--credential_helper")]
    refused(farm, client, missing, UNKNOWN, *without)


def test_expired_token(farm: Farm, client: Client) -> None:
    token = farm.token("writer", 1 / 86400)
    time.sleep(1.5)
    refused(farm, client, token, f"{token}: this token expired on ", *words(farm, "farm"))


def test_token_of_another_farm(farm: Farm, client: Client, tmp_path: Path) -> None:
    token = foreign(tmp_path, "writer")
    refused(farm, client, token, UNKNOWN, *words(farm, "farm"))
    said = error(check(farm, farm.secure_address, "--token", str(token)))
    assert "the server doesn't accept this token (of writer:mallory); ask who runs it for another" in said


def test_certificate_for_another_host(farm: Farm, client: Client) -> None:
    address = f"grpcs://{OUTSIDE}:{farm.port}"
    refused(farm, client, farm.token("writer"), "io exception", *words(farm, "farm", address))


def test_certificate_of_another_authority(farm: Farm, client: Client, tmp_path: Path) -> None:
    other = Farm(tmp_path, roots=farm)
    made = other.command("certificate", "--name", "localhost", "--output", str(tmp_path / "other"))
    assert made.code == 0, made.err
    options = words(farm, "farm", authority=tmp_path / "other/authority.crt")
    refused(farm, client, farm.token("writer"), "io exception", *options)


def test_without_tls(farm: Farm, client: Client) -> None:
    address = f"grpc://localhost:{farm.port}"
    refused(farm, client, farm.token("writer"), "Network closed", *words(farm, "farm", address))


def holds(path: Path, secrets: list[bytes]) -> bool:
    """Whether a file has one of the secrets."""
    content = read(path) if path.is_file() and not path.is_symlink() else b""
    return any(secret in content for secret in secrets)


def read(path: Path) -> bytes:
    """A file of running programs, which may be gone."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_secrets_stay_where_they_are(farm: Farm, worker: Farm, client: Client, tmp_path: Path) -> None:
    token = farm.token("writer")
    named = [farm.state / "secrets" / name for name in ("token.key", "redis.password")]
    secrets = [path.read_bytes() for path in [token, worker.state / "secrets/worker.token", *named]]
    secrets.append((farm.state / "secrets/tls.key").read_bytes().splitlines()[1])
    options = [*words(farm, "farm"), f"--execution_log_json_file={tmp_path / 'execution.json'}"]
    gate = Gate(worker, "slow")
    client.rule("slow", f"cat /proc/*/cmdline > $@; {gate.command}")
    build = client.start("build", "//:slow", *options, extra={VARIABLE: str(token)})
    build.until("the action runs", gate.reached)
    running = b"\n".join(read(path) for path in Path("/proc").glob("[0-9]*/cmdline"))
    gate.open()
    done = build.wait()
    assert done.code == 0, done.err
    assert b"buildbox-worker" in running and b"redis-server" in running
    assert not any(secret in running + done.err.encode() for secret in secrets)
    kept = {token, *named, farm.state / "secrets/tls.key", farm.state / "secrets/own/tls.key"}
    places = [
        client.root.parent,
        farm.state / "logs",
        farm.state / "cas",
        worker.state / "logs",
        worker.state / "worker",
    ]
    places.append(tmp_path)
    leaked = [path for place in places for path in place.rglob("*") if path not in kept and holds(path, secrets)]
    assert leaked == []
