"""What tests of services in containers have in common."""

import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.containers.built_image import Image
from tests.containers.daemon import Daemon
from tests.containers.docker_client import loaded, wait_for

HEALTH = "/usr/local/bin/health.sh"


def archive(files: Mapping[str, str], newer: int = 0) -> bytes:
    """A tar of text files that everybody may read and write, by path without the leading slash.

    They are of now, or of that many seconds later, for who takes a file as changed only when its time is.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(text.encode()), 0o666
            member.mtime = int(time.time()) + newer
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


class Service:
    """Starts containers of an image in one daemon; they end with the test."""

    def __init__(self, image: Image, client: Any, daemon: Daemon) -> None:
        self._image = image
        self._client = client
        self.daemon = daemon
        self._started: list[Any] = []

    def start(self, files: Mapping[str, str] | None = None, network: str = "none", **environment: str) -> Any:
        """Start a container that has the files, and these variables."""
        made = self._client.containers.create(self._image.tag, network_mode=network, environment=environment)
        self._started.append(made)
        if files:
            made.put_archive("/", archive(files))
        made.start()
        return made

    def ready(self, files: Mapping[str, str] | None = None, network: str = "none", **environment: str) -> Any:
        """Start a container and wait until its health check finds it well."""
        container = self.start(files, network, **environment)
        self.wait_until_well(container)
        return container

    @staticmethod
    def wait_until_well(container: Any) -> None:
        """Wait until the image's own health check succeeds."""
        import docker

        def well() -> bool:
            try:
                return bool(container.exec_run(HEALTH).exit_code == 0)
            except docker.errors.APIError:
                return False  # it has ended, and `wait_for` shows its log

        wait_for("the health check", well, container)

    def refuses(self, message: str, files: Mapping[str, str] | None = None, **environment: str) -> None:
        """Assert that a container ends with code 64 and this message."""
        container = self.start(files, **environment)
        assert container.wait()["StatusCode"] == 64, container.logs()
        assert message in container.logs().decode()

    def remove_all(self) -> None:
        """Remove the containers and their volumes."""
        for container in self._started:
            container.remove(force=True, v=True)
        self._started.clear()


@contextmanager
def service(image: Image, folder: Path) -> Iterator[Service]:
    """A daemon with the image."""
    with loaded(image, folder) as (client, daemon):
        found = Service(image, client, daemon)
        try:
            yield found
        finally:
            found.remove_all()


def stop(container: Any) -> int:
    """What `docker stop` makes of a container: its exit code. Nothing kills it meanwhile."""
    container.stop(timeout=280)
    code: int = container.wait()["StatusCode"]
    return code


def said(container: Any, *words: str, **settings: Any) -> str:
    """What a command in the container writes; it must succeed."""
    done = container.exec_run(list(words), **settings)
    text: str = done.output.decode()
    assert done.exit_code == 0, text
    return text
