"""What the image holds and says, without a daemon."""

from tests.containers.built_image import Image
from tools.containers.contents import DIRECTORY

IMAGE = Image()


def test_it_runs_as_zookeeper() -> None:
    uid, gid, _ = IMAGE.users()["zookeeper"]
    assert IMAGE.config["User"] == f"{uid}:{gid}"
    assert uid != 0
    for path in ("/data", "/run/zookeeper"):
        folder = IMAGE.entry(path)
        assert (folder.type, folder.mode, folder.uid, folder.gid) == (DIRECTORY, 0o750, uid, gid)


def test_the_configuration() -> None:
    assert IMAGE.config["Entrypoint"] == ["/usr/local/bin/entrypoint.sh"]
    assert IMAGE.config["ExposedPorts"] == {"2181/tcp": {}, "2888/tcp": {}, "3888/tcp": {}}
    assert IMAGE.config["Volumes"] == {"/data": {}}
    assert IMAGE.config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/health.sh"]


def test_there_is_no_desktop() -> None:
    names = {component["name"] for component in IMAGE.components}
    assert "openjdk-21-jre-headless" in names
    assert not {name for name in names if name.startswith(("libx11", "libgtk", "libllvm", "systemd", "dbus"))}
