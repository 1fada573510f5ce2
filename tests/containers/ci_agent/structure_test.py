"""What the image holds and says, without a daemon."""

import pytest

from tests.containers.built_image import Image
from tools.containers.contents import DIRECTORY

IMAGE = Image()


def test_it_runs_as_ci() -> None:
    assert IMAGE.users()["ci"] == (1000, 1000, "/bin/bash")
    assert IMAGE.config["User"] == "1000:1000"
    assert "HOME=/home/ci" in IMAGE.config["Env"]


@pytest.mark.parametrize(("path", "mode"), [("/farm", 0o700), ("/home/ci", 0o755), ("/work", 0o755)])
def test_its_volumes(path: str, mode: int) -> None:
    entry = IMAGE.entry(path)
    assert (entry.type, entry.mode, entry.uid, entry.gid) == (DIRECTORY, mode, 1000, 1000)
    assert path in IMAGE.config["Volumes"]


def test_the_configuration() -> None:
    assert IMAGE.config["Entrypoint"] == ["/usr/local/bin/entrypoint.sh"]
    assert IMAGE.config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/health.sh"]


def test_the_user_has_no_password() -> None:
    assert {line.split(":")[1] for line in IMAGE.read("/etc/shadow").decode().splitlines()} <= {"*", "!", "!*"}


@pytest.mark.parametrize(
    "program",
    [
        "bash",
        "bwrap",
        "git",
        "python3",
        "ssh",
        "xz",
        "zip",
        "buildbox-casd",
        "buildbox-run-hosttools",
        "buildbox-worker",
    ],
)
def test_what_bazelw_and_a_worker_need(program: str) -> None:
    assert f"/usr/bin/{program}" in IMAGE
