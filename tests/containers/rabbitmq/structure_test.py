"""What the image holds and says, without a daemon."""

from tests.containers.built_image import Image
from tools.containers.contents import DIRECTORY

IMAGE = Image()


def test_it_runs_as_rabbitmq() -> None:
    uid, gid, _ = IMAGE.users()["rabbitmq"]
    assert IMAGE.config["User"] == f"{uid}:{gid}"
    assert uid != 0
    for path in ("/data", "/run/rabbitmq"):
        folder = IMAGE.entry(path)
        assert (folder.type, folder.mode, folder.uid, folder.gid) == (DIRECTORY, 0o750, uid, gid)


def test_the_configuration() -> None:
    assert IMAGE.config["Entrypoint"] == ["/usr/local/bin/entrypoint.sh"]
    assert IMAGE.config["ExposedPorts"] == {"5672/tcp": {}}
    assert IMAGE.config["Volumes"] == {"/data": {}}
    assert IMAGE.config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/health.sh"]


def test_no_cookie_is_baked_in() -> None:
    assert "/data/.erlang.cookie" not in IMAGE
    assert "/var/lib/rabbitmq/.erlang.cookie" not in IMAGE
