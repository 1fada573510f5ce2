"""What the image holds and says, without a daemon."""

from tests.containers.built_image import Image
from tools.containers.contents import DIRECTORY

IMAGE = Image()


def test_the_configuration() -> None:
    assert IMAGE.config["Entrypoint"] == ["/usr/local/bin/entrypoint.py"]
    assert IMAGE.config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/health.py"]
    assert IMAGE.config["ExposedPorts"] == {"5000/tcp": {}}
    assert IMAGE.config["Volumes"] == {"/config": {}, "/data": {}, "/logs": {}}
    # cron is root, and circus becomes the others' users.
    assert "User" not in IMAGE.config or IMAGE.config["User"] in ("", "0:0")


def test_the_registry_s_data_are_its_user_s() -> None:
    uid, gid, _ = IMAGE.users()["docker-registry"]
    data = IMAGE.entry("/data")
    assert uid != 0
    assert (data.type, data.mode, data.uid, data.gid) == (DIRECTORY, 0o750, uid, gid)


def test_the_token_server_is_static() -> None:
    assert IMAGE.entry("/usr/local/bin/docker_auth").mode == 0o755
    program = IMAGE.read("/usr/local/bin/docker_auth")
    assert program.startswith(b"\x7fELF")
    assert b"ld-linux" not in program and b"/build/module" not in program


def test_no_secret_is_baked_in() -> None:
    for name in ("signing.key", "http.secret", "ssh_host_ed25519_key"):
        assert f"/config/{name}" not in IMAGE
    assert "/etc/ssh/ssh_host_rsa_key" not in IMAGE
    assert {line.split(":")[1] for line in IMAGE.read("/etc/shadow").decode().splitlines()} <= {"*", "!", "!*"}


def test_the_sbom_has_packages_wheels_and_modules() -> None:
    named: dict[str, set[str]] = {"deb": set(), "golang": set(), "wheel": set()}
    for component in IMAGE.components:
        named[component["SPDXID"].split("-")[1]].add(component["name"])
    assert {"docker-registry", "nginx", "cron", "logrotate", "openssh-server"} <= named["deb"]
    assert {"circus", "bcrypt"} <= named["wheel"]
    assert {"github.com/cesanta/docker_auth/auth_server", "golang.org/x/crypto"} <= named["golang"]
    status = IMAGE.read("/var/lib/dpkg/status").decode()
    installed = {line.removeprefix("Package: ") for line in status.splitlines() if line.startswith("Package: ")}
    assert installed == named["deb"]
