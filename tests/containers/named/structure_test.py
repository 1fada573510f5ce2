"""What the image holds and says, without a daemon."""

from tests.containers.built_image import Image
from tools.containers.contents import DIRECTORY

IMAGE = Image()


def test_it_runs_as_bind() -> None:
    uid, gid, _ = IMAGE.users()["bind"]
    assert IMAGE.config["User"] == f"{uid}:{gid}"
    assert uid != 0
    for path in ("/data", "/run/named"):
        folder = IMAGE.entry(path)
        assert (folder.type, folder.mode, folder.uid, folder.gid) == (DIRECTORY, 0o750, uid, gid)


def test_the_configuration() -> None:
    assert IMAGE.config["Entrypoint"] == ["/usr/local/bin/entrypoint.sh"]
    assert IMAGE.config["ExposedPorts"] == {"53/tcp": {}, "53/udp": {}}
    assert IMAGE.config["Volumes"] == {"/data": {}}
    assert IMAGE.config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/health.sh"]


def test_no_key_is_baked_in() -> None:
    assert "/etc/bind/named.conf" in IMAGE
    assert "/etc/bind/rndc.key" not in IMAGE
