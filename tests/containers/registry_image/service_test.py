"""The registry in a container, through docker itself: who may do what, and what outlives what."""

import base64
import http.client
import io
import json
import socket
import ssl
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.containers.built_image import Image
from tests.containers.daemon import Daemon
from tests.containers.docker_client import loaded, wait_for

IMAGE = Image()
HEALTH = "/usr/local/bin/health.py"
ADMIN, READER, LISTED = "s3cret-of-admin", "s3cret-of-reader", "s3cret-of-ci"
PORT, TLS_PORT, SSH_PORT = 5000, 5100, 5200
ADDRESS = f"localhost:{PORT}"


@dataclass(frozen=True)
class World:
    """A daemon with the image; `plain` is a container of it that answers at PORT, by http."""

    client: Any
    daemon: Daemon
    plain: Any

    def request(self, port: int, path: str, user: str = "", agent: str = "", tls: ssl.SSLContext | None = None) -> Any:
        """(status, headers, text) for a path; `user` is NAME:PASSWORD."""
        outside = self.daemon.forward(port) if port not in _FORWARDED else _FORWARDED[port]
        _FORWARDED[port] = outside
        connection: http.client.HTTPConnection = http.client.HTTPConnection("127.0.0.1", outside, timeout=120)
        if tls:
            connection = http.client.HTTPSConnection("localhost", outside, timeout=120, context=tls)
        headers = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()} if user else {}
        if agent:
            headers["User-Agent"] = agent
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def answers(self, container: Any) -> bool:
        """Whether the container's own health check says so."""
        return bool(container.exec_run(HEALTH).exit_code == 0)

    def create(self, files: dict[str, str], **environment: str) -> Any:
        """A container that isn't started yet, with these files in /config."""
        container = self.client.containers.create(IMAGE.tag, environment=environment, network_mode="host")
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text.encode()), 0o600
                archive.addfile(entry, io.BytesIO(text.encode()))
        assert container.put_archive("/config", buffer.getvalue())
        return container


_FORWARDED: dict[int, int] = {}


def shell(container: Any, script: str) -> str:
    """What a command in the container printed."""
    done = container.exec_run(["sh", "-c", script])
    assert done.exit_code == 0, done.output
    text: str = done.output.decode().strip()
    return text


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with loaded(IMAGE, tmp_path_factory.mktemp("docker")) as (client, started):
        plain = client.containers.create(
            IMAGE.tag,
            network_mode="host",
            environment={
                "REGISTRY_ADMIN_PASSWORD": ADMIN,
                "REGISTRY_READONLY_PASSWORD": READER,
                "REGISTRY_LOGROTATE_SCHEDULE": "* * * * *",
                "REGISTRY_LOG_MAX_MB": "1",
            },
        )
        plain.start()
        world = World(client, started, plain)
        wait_for("the registry answers", lambda: world.answers(plain), plain)
        # For test_cron_rotates_logs, the last one: cron has its minute while the others run.
        shell(plain, "head -c 1100000 /dev/zero | tr '\\0' x >>/logs/docker_auth.log")
        tiny = io.BytesIO()
        with tarfile.open(fileobj=tiny, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("hello"))
        client.api.import_image_from_data(tiny.getvalue(), repository=f"{ADDRESS}/tests/hello", tag="1")
        yield world


def login(name: str, password: str) -> dict[str, str]:
    return {"username": name, "password": password}


def push(world: World, repository: str, who: dict[str, str] | None) -> str:
    """What docker says of a push."""
    said = world.client.images.push(repository, tag="1", auth_config=who or {"username": "", "password": ""})
    return str(said)


def test_admin_pushes_and_readonly_pulls(world: World) -> None:
    said = push(world, f"{ADDRESS}/tests/hello", login("admin", ADMIN))
    assert '"error"' not in said and "sha256:" in said
    world.client.images.remove(f"{ADDRESS}/tests/hello:1")
    pulled = world.client.images.pull(f"{ADDRESS}/tests/hello", tag="1", auth_config=login("readonly", READER))
    assert pulled.tags == [f"{ADDRESS}/tests/hello:1"]
    assert shell(world.plain, "ls /data/docker/registry/v2/repositories/tests") == "hello"


def test_readonly_is_refused_a_push(world: World) -> None:
    pulled = world.client.images.pull(f"{ADDRESS}/tests/hello", tag="1", auth_config=login("admin", ADMIN))
    assert pulled.tag(f"{ADDRESS}/tests/other", "1")
    said = push(world, f"{ADDRESS}/tests/other", login("readonly", READER))
    assert "requested access to the resource is denied" in said
    assert shell(world.plain, "ls /data/docker/registry/v2/repositories/tests") == "hello"


def test_anonymous_gets_401(world: World) -> None:
    for path in ("/v2/", "/v2/tests/hello/tags/list", "/docker_auth_service/auth?service=registry"):
        status, _, _ = world.request(PORT, path)
        assert status == 401, path
    status, headers, _ = world.request(PORT, "/v2/tests/hello/tags/list")
    outside = _FORWARDED[PORT]
    assert headers["WWW-Authenticate"].startswith(
        f'Bearer realm="http://127.0.0.1:{outside}/docker_auth_service/auth",service="registry",'
    )
    with pytest.raises(Exception, match="unauthorized|denied|Unauthorized|no basic auth"):
        world.client.images.pull(f"{ADDRESS}/tests/hello", tag="1")


def token(world: World, user: str, scope: str) -> tuple[int, dict[str, Any], int]:
    """(status, the token's claims, expires_in)."""
    status, _, text = world.request(PORT, f"/docker_auth_service/auth?service=registry&scope={scope}", user)
    if status != 200:
        return status, {}, 0
    answer = json.loads(text)
    claims = answer["token"].split(".")[1]
    return status, json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))), answer["expires_in"]


def test_tokens_are_for_900_seconds_and_for_what_is_allowed(world: World) -> None:
    scope = "repository:tests/hello:pull,push"
    status, claims, seconds = token(world, f"admin:{ADMIN}", scope)
    assert (status, seconds, claims["access"][0]["actions"]) == (200, 900, ["pull", "push"])
    assert claims["exp"] - claims["iat"] == 900
    status, claims, _ = token(world, f"readonly:{READER}", scope)
    assert (status, claims["access"][0]["actions"]) == (200, ["pull"])
    assert token(world, f"admin:{READER}", scope)[0] == 401
    assert token(world, f"nobody:{ADMIN}", scope)[0] == 401


def test_old_clients_are_told(world: World) -> None:
    for path, agent in (("/v1/_ping", ""), ("/v1/users/", ""), ("/v2/", "docker/1.5.0 go/go1.3.3")):
        status, _, text = world.request(PORT, path, agent=agent)
        assert (status, "use docker 1.6 or later" in text) == (410, True), path
    assert world.request(PORT, "/v2/", agent="docker/1.13.1 go/go1.7.5")[0] == 401


def test_passwords_are_in_no_argument_and_no_log(world: World) -> None:
    seen = shell(world.plain, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "docker_auth -logtostderr" in seen and "sshd" not in seen
    written = shell(world.plain, "cat /logs/*.log /run/registry/*.json /run/registry/*.conf")
    written += world.plain.logs().decode()
    for secret in (ADMIN, READER):
        assert secret not in seen and secret not in written


@pytest.mark.parametrize("name", ["docker-registry", "docker_auth", "nginx"])
def test_a_killed_service_is_started_again(world: World, name: str) -> None:
    before = set(shell(world.plain, f"pgrep -x {name}").split())
    oldest = shell(world.plain, f"pgrep -o -x {name}")
    shell(world.plain, f"kill -KILL {oldest}")

    def again() -> bool:
        found = set(world.plain.exec_run(["pgrep", "-x", name]).output.decode().split())
        return bool(found) and not found & before and world.answers(world.plain)

    wait_for(f"{name} is there again", again, world.plain)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"REGISTRY_PORT": "0"}, "error: REGISTRY_PORT='0': expected a number from 1 to 65533"),
        ({"REGISTRY_LOG_LEVEL": "loud"}, "error: REGISTRY_LOG_LEVEL='loud': expected one of: info, debug, warn, error"),
        ({"REGISTRY_LOG_MAX_MB": "x"}, "error: REGISTRY_LOG_MAX_MB='x': expected a number from 1 to 999999"),
        ({"REGISTRY_LOGROTATE_SCHEDULE": "daily"}, "error: REGISTRY_LOGROTATE_SCHEDULE='daily': expected the five"),
        ({"REGISTRY_SSHD": "on"}, "error: REGISTRY_SSHD='on': expected one of: no, yes"),
        ({"REGISTRY_SSHD": "yes", "REGISTRY_SSHD_PORT": "5001"}, "error: REGISTRY_SSHD_PORT='5001': expected a port"),
        ({"REGISTRY_EXTERNAL_URL": "ftp://a"}, "error: REGISTRY_EXTERNAL_URL='ftp://a': expected http://HOST[:PORT]"),
        ({"REGISTRY_TLS_KEY": "/x"}, "error: REGISTRY_TLS_CERTIFICATE='': expected a file, because REGISTRY_TLS_KEY"),
        (
            {"REGISTRY_TLS_CERTIFICATE": "/config/signing.crt", "REGISTRY_TLS_KEY": "/etc/passwd"},
            "error: REGISTRY_TLS_CERTIFICATE='/config/signing.crt': expected a certificate for the key /etc/passwd",
        ),
        ({"REGISTRY_ADMIN_PASSWORD": "x" * 73}, "error: REGISTRY_ADMIN_PASSWORD: expected a password of at most 72"),
        ({"REGISTRY_ADMIN_PASSWORD_FILE": "/none"}, "error: REGISTRY_ADMIN_PASSWORD_FILE='/none': expected a text"),
        ({"REGISTRY_USERS_FILE": "/etc/passwd"}, "error: REGISTRY_USERS_FILE='/etc/passwd:1': expected NAME:BCRYPT"),
        (
            {"REGISTRY_ADMIN_PASSWORD": "", "REGISTRY_READONLY_PASSWORD": ""},
            "error: REGISTRY_ADMIN_PASSWORD: there is no user",
        ),
    ],
)
def test_a_wrong_variable_is_named(world: World, environment: dict[str, str], message: str) -> None:
    done = world.plain.exec_run(["/usr/local/bin/entrypoint.py", "--check"], environment=environment)
    assert done.exit_code == 64
    assert message in done.output.decode()
    assert "Traceback" not in done.output.decode()


def test_a_wrong_variable_ends_the_container(world: World) -> None:
    container = world.create({}, REGISTRY_PORT="70000")
    container.start()
    assert container.wait()["StatusCode"] == 64
    assert "error: REGISTRY_PORT='70000': expected a number from 1 to 65533" in container.logs().decode()
    container.remove(v=True)


def test_tls_a_list_of_users_sshd_and_a_restart(world: World, tmp_path: Path) -> None:
    made = shell(
        world.plain,
        "cd /tmp && openssl req -x509 -newkey rsa:2048 -noenc -keyout k -out c -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost 2>/dev/null && cat c k",
    )
    certificate = made[: made.index("-----BEGIN PRIVATE")]
    script = "import bcrypt, sys; print(bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt(4)).decode())"
    secret = world.plain.exec_run(["/opt/venv/bin/python3", "-c", script, LISTED]).output.decode().strip()
    container = world.create(
        {"tls.crt": certificate, "tls.key": made[len(certificate) :], "users": f"# people\nci:{secret}:admin\n"},
        REGISTRY_PORT=str(TLS_PORT),
        REGISTRY_TLS_CERTIFICATE="/config/tls.crt",
        REGISTRY_TLS_KEY="/config/tls.key",
        REGISTRY_USERS_FILE="/config/users",
        REGISTRY_SSHD="yes",
        REGISTRY_SSHD_PORT=str(SSH_PORT),
    )
    container.start()
    wait_for("it answers by TLS", lambda: world.answers(container), container)
    trusting = ssl.create_default_context(cadata=certificate)
    status, headers, _ = world.request(TLS_PORT, "/v2/", tls=trusting)
    assert status == 401
    assert headers["WWW-Authenticate"].startswith(
        f'Bearer realm="https://localhost:{_FORWARDED[TLS_PORT]}/docker_auth_service/auth"'
    )
    with pytest.raises(ssl.SSLCertVerificationError):
        world.request(TLS_PORT, "/v2/", tls=ssl.create_default_context())

    repository = f"localhost:{TLS_PORT}/tests/kept"
    assert world.client.images.get(f"{ADDRESS}/tests/hello:1").tag(repository, "1")
    assert '"error"' not in push(world, repository, login("ci", LISTED))
    key = shell(container, "sha256sum /config/signing.key /config/http.secret /config/ssh_host_ed25519_key")

    with socket.create_connection(("127.0.0.1", world.daemon.forward(SSH_PORT)), timeout=120) as connection:
        assert connection.recv(7) == b"SSH-2.0"

    container.stop(timeout=120)
    assert container.wait()["StatusCode"] == 0
    container.start()
    wait_for("it answers again", lambda: world.answers(container), container)
    assert key == shell(container, "sha256sum /config/signing.key /config/http.secret /config/ssh_host_ed25519_key")
    world.client.images.remove(f"{repository}:1")
    assert world.client.images.pull(repository, tag="1", auth_config=login("ci", LISTED)).tags
    container.remove(force=True, v=True)


def test_cron_rotates_logs(world: World) -> None:
    def rotated() -> bool:
        # Of all that are there, whole or not yet: midnight makes one more.
        count = ["sh", "-c", "zcat /logs/docker_auth.log.*.gz | tr -cd x | wc -c"]
        return int(world.plain.exec_run(count, stderr=False).output) >= 1_100_000

    deadline = time.monotonic() + 300
    while not rotated():
        assert time.monotonic() < deadline, shell(world.plain, "ls -l /logs; cat /etc/cron.d/registry")
        time.sleep(1)
    assert world.request(PORT, "/v2/")[0] == 401
