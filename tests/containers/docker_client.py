"""The `docker` Python package, from locked wheels, with a daemon for tests in which an image is loaded."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.containers.built_image import Image
from tests.containers.daemon import RUNFILES, Daemon, daemon

_PATIENCE = 300  # seconds, on a machine that is busy
_TAR = RUNFILES.parent / "tool_runtime/bin/tar"


@contextmanager
def loaded(image: Image, folder: Path) -> Iterator[tuple[Any, Daemon]]:
    """A docker.DockerClient whose daemon has the image, and the daemon; both end with the context."""
    wheels = folder / "wheels"
    wheels.mkdir()
    subprocess.run([_TAR, "-xf", RUNFILES / "roots/docker.wheels.tar", "-C", wheels], check=True)
    (site,) = wheels.glob("usr/local/lib/python*/dist-packages")
    sys.path.append(str(site))
    import docker

    with daemon(folder) as started:
        client = docker.DockerClient(base_url=started.address, timeout=_PATIENCE)
        try:
            with image.archive.open("rb") as archive:
                client.images.load(archive)
            yield client, started
        finally:
            client.close()


def wait_for(what: str, condition: Callable[[], bool], container: Any) -> None:
    """Wait until a condition holds. Fails with the container's log when it ends first, or too much time goes by."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        container.reload()
        log = container.logs().decode(errors="replace")
        assert container.status in ("created", "running"), f"{what}: the container is {container.status}:\n{log}"
        assert time.monotonic() < deadline, f"{what}: not within {_PATIENCE} s:\n{log}"
        time.sleep(0.2)
