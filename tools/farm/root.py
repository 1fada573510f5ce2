"""The farm's roots: unpacked once into its folder, entered by each service."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.lib.errors import UserError

INSIDE = "/farm"  # where a root has the farm's folder
USER = 1000  # inside; PostgreSQL refuses to run as user 0
_LOADER = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
_LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
# Runs a module of this program, packed or not; the words are its place, the module, and the module's own.
BOOT = """import runpy, sys
sys.path.insert(0, sys.argv[1])
module = sys.argv[2]
del sys.argv[1:3]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
ENVIRONMENT = {
    "HOME": "/tmp",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TZ": "UTC",
}
# By these the machine finds others by name.
_OF_THE_MACHINE = ("/etc/hosts", "/etc/resolv.conf")
_PLACES = ("dev", "farm", "proc", "tmp")


@dataclass(frozen=True)
class Roots:
    """The unpacked roots of the server and of the workers."""

    server: Path
    worker: Path

    def program(self, name: str) -> list[str]:
        """The words that start a program of a root outside of it, with the root's own libraries."""
        root = self.worker if name == "bwrap" else self.server
        libraries = ":".join(str(root / folder) for folder in _LIBRARIES)
        return [str(root / _LOADER), "--library-path", libraries, str(root / "usr/bin" / name)]

    def enter(
        self,
        state: Path,
        command: Sequence[str],
        worker: bool = False,
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> list[str]:
        """The words that run a command in a root, with the host's network, its names of others, and `state` as /farm.

        The host's /proc is bound as it is: a fresh one can't be mounted everywhere, and a covered
        one keeps the workers' actions from mounting theirs.
        """
        root = self.worker if worker else self.server
        words = [*self.program("bwrap"), "--die-with-parent", "--unshare-user", "--uid", str(USER), "--gid", str(USER)]
        words += ["--ro-bind", str(root), "/", "--dev", "/dev", "--bind", "/proc", "/proc", "--tmpfs", "/tmp"]
        if worker:
            words += ["--dev-bind-try", "/dev/kvm", "/dev/kvm"]
        for path in _OF_THE_MACHINE:
            words += ["--ro-bind-try", path, path]
        words += ["--bind", str(state), INSIDE, *options, "--chdir", INSIDE, "--clearenv"]
        for name, value in sorted((ENVIRONMENT | dict(environment or {})).items()):
            words += ["--setenv", name, value]
        return [*words, "--", *command]

    def run_module(
        self, state: Path, tool: Path, module: str, words: Sequence[str], options: Sequence[str] = ()
    ) -> str:
        """Run tools.farm.MODULE of this program in the server's root, with its libraries; what it printed.

        Raises UserError with what it said when it failed.
        """
        command = ["python3", "-IB", "-c", BOOT, "/tmp/farm.pyz", f"tools.farm.{module}", *words]
        line = self.enter(state, command, options=("--ro-bind", str(tool.resolve()), "/tmp/farm.pyz", *options))
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"{module} ended with exit code {done.returncode}"]
            raise UserError(said[-1].removeprefix("error: "))
        return done.stdout


def unpack(tar: Path, layers: Sequence[Path], folder: Path) -> Path:
    """The folder below `folder` with these archives unpacked, made when it isn't there yet.

    It is named after their SHA-256; other versions of the same root are removed.
    Raises UserError when there is no space.
    """
    digest = hashlib.sha256()
    for layer in layers:
        with layer.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    target = folder / digest.hexdigest()[:16]
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".unpacking.", dir=folder))
    try:
        for layer in layers:
            words = [str(tar), "-xf", str(layer), "-C", str(scratch), "--no-same-owner", "--keep-directory-symlink"]
            done = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                said = "no space left" if "No space left" in done.stderr else done.stderr.partition("\n")[0]
                raise UserError(f"{folder}: cannot unpack {layer.name}: {said}; make room, or give --state DIR")
        for name in _PLACES:
            (scratch / name).mkdir(exist_ok=True)
        for name in _OF_THE_MACHINE:
            (scratch / name.lstrip("/")).touch()
        with (scratch / "etc/passwd").open("a") as passwd:
            passwd.write(f"farm:x:{USER}:{USER}:farm:/tmp:/bin/sh\n")
        with (scratch / "etc/group").open("a") as group:
            group.write(f"farm:x:{USER}:\n")
        scratch.chmod(0o755)
        scratch.rename(target)
    finally:
        remove(scratch)
    for other in folder.iterdir():
        if other != target and not other.name.startswith("."):
            remove(other)
    return target


def remove(folder: Path) -> None:
    """Remove an unpacked root, whose folders may be read-only."""
    for path, _, _ in os.walk(folder):
        os.chmod(path, 0o755)
    shutil.rmtree(folder, ignore_errors=True)
