"""What the image holds and says, without a daemon."""

from tests.containers.built_image import Image

IMAGE = Image()


def test_it_runs_as_haproxy() -> None:
    uid, gid, _ = IMAGE.users()["haproxy"]
    assert IMAGE.config["User"] == f"{uid}:{gid}"
    assert uid != 0
    folder = IMAGE.entry("/run/haproxy")
    assert (folder.mode, folder.uid, folder.gid) == (0o750, uid, gid)


def test_the_configuration() -> None:
    assert IMAGE.config["Entrypoint"] == ["/usr/local/bin/entrypoint.sh"]
    assert IMAGE.config["ExposedPorts"] == {"8080/tcp": {}, "8404/tcp": {}}
    assert IMAGE.config["StopSignal"] == "SIGUSR1"
    assert IMAGE.config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/health.sh"]
