"""What the image holds and says, without a daemon."""

from tests.containers.built_image import Image

IMAGE = Image()


def test_it_isn_t_root() -> None:
    uid, gid, _ = IMAGE.users()["www-data"]
    assert uid != 0
    assert IMAGE.config["User"] == f"{uid}:{gid}"
    writable = IMAGE.entry("/run/package-repo")
    assert (writable.uid, writable.gid) == (uid, gid)


def test_the_configuration() -> None:
    assert IMAGE.config["Entrypoint"] == ["/usr/local/bin/entrypoint.sh"]
    assert IMAGE.config["ExposedPorts"] == {"8080/tcp": {}}
    assert IMAGE.config["StopSignal"] == "SIGQUIT"
    assert IMAGE.config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/health.sh"]


def test_repositories_by_release_and_distribution_and_no_signature() -> None:
    served = "/srv/repositories"
    for path in ("R1.0/trixie/Release", "R1.0/trixie/packages/ours-deb.deb", "R1.0/el9/repodata/repomd.xml"):
        assert f"{served}/{path}" in IMAGE
    for path in ("R1.0/trixie/InRelease", "R1.0/trixie/Release.gpg", "R1.0/el9/repodata/repomd.xml.asc"):
        assert f"{served}/{path}" not in IMAGE
