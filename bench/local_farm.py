"""A farm on this machine for a benchmark: its own folder, a free port, stopped at the end."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.lib.errors import UserError


def _command(name: str, *words: str) -> None:
    # The scripts of //farm, in the runfiles of whoever runs this.
    here = Path.cwd()
    done = subprocess.run(
        [str(here / f"farm/{name}.sh"), *words],
        env=os.environ | {"RUNFILES_DIR": str(here.parent)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise UserError(f"//farm:{name} failed; its message is above")


@contextmanager
def local_farm(state: Path, workers: int) -> Iterator[str]:
    """A farm with an empty cache and so many workers; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    _command("up", "--state", str(state), "--port", str(port), "--workers", str(workers))
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        _command("down", "--state", str(state))
