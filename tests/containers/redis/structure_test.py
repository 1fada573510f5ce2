"""What the image holds and says, without a daemon."""

from tests.containers.built_image import Image
from tools.containers.contents import DIRECTORY

IMAGE = Image()


def test_it_runs_as_redis() -> None:
    uid, gid, shell = IMAGE.users()["redis"]
    assert IMAGE.config["User"] == f"{uid}:{gid}"
    assert uid != 0
    assert shell == "/usr/sbin/nologin"
    data = IMAGE.entry("/data")
    assert (data.type, data.mode, data.uid, data.gid) == (DIRECTORY, 0o750, uid, gid)


def test_the_configuration() -> None:
    assert IMAGE.config["Entrypoint"] == ["/usr/local/bin/entrypoint.sh"]
    assert IMAGE.config["ExposedPorts"] == {"6379/tcp": {}}
    assert IMAGE.config["Volumes"] == {"/data": {}}
    assert IMAGE.config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/health.sh"]
    assert IMAGE.config["Labels"]["org.opencontainers.image.licenses"] == "AGPL-3.0-only"


def test_passwords_are_nobody_s() -> None:
    shadow = IMAGE.entry("/etc/shadow")
    assert (shadow.mode, shadow.uid, shadow.gid) == (0o640, 0, 42)
    assert {line.split(":")[1] for line in IMAGE.read("/etc/shadow").decode().splitlines()} <= {"*", "!", "!*"}


def test_dpkg_and_the_sbom_have_the_same_packages() -> None:
    status = IMAGE.read("/var/lib/dpkg/status").decode()
    installed = {line.removeprefix("Package: ") for line in status.splitlines() if line.startswith("Package: ")}
    assert installed == {component["name"] for component in IMAGE.components}
    assert "redis-server" in installed


def test_what_images_don_t_have() -> None:
    assert "/usr/sbin/policy-rc.d" not in IMAGE
    assert "/usr/share/man/man1" not in IMAGE
