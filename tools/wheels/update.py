"""Lock wheels: ./bazelw run //roots:update_wheels -- NAME...

Resolves roots/NAME.requirements.in with pip, for the Python that roots/catalogue.bzl says, from the index that pip's
own settings name, and writes roots/NAME.requirements.txt: each wheel by version and SHA-256.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

SUFFIX = ".requirements.in"
_HEADER = "# Made from {name}.requirements.in by: ./bazelw run //roots:update_wheels -- {name}\n"
_SECONDS = 1800


def lock_text(name: str, wheels: Sequence[Path]) -> str:
    """A requirements file with hashes for the wheels, whose names say project and version (PEP 427)."""
    lines = []
    for wheel in wheels:
        project, version = wheel.name.split("-")[:2]
        project = re.sub(r"[-_.]+", "-", project).lower()
        lines.append(f"{project}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return _HEADER.format(name=name) + "".join(sorted(lines))


def resolve(python: Path, pip: Path, requirements: Path, folder: Path, further: Sequence[str]) -> list[Path]:
    """The wheels that pip chose, in `folder`; `further` are words for pip. Raises UserError with what pip said."""
    words = [str(python), "-ISB", f"{pip}/pip", "download", "--quiet", "--disable-pip-version-check"]
    words += ["--only-binary=:all:", f"--dest={folder}", f"--requirement={requirements}", *further]
    try:
        done = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise UserError(f"{requirements}: pip has not ended after {_SECONDS} seconds; run it again") from error
    if done.returncode:
        said = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        raise UserError(f"{requirements}: pip can't resolve it: {'; '.join(said) or done.stderr.strip()}")
    return sorted(folder.iterdir())


def take_pip(package: Path, folder: Path, runtime: Path) -> Path:
    """The wheel of pip out of its Debian package."""
    subprocess.run([runtime / "bin/dpkg-deb", "-x", package, folder], check=True)
    (wheel,) = folder.glob("usr/share/python-wheels/pip-*.whl")
    return wheel


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="roots:update_wheels", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to lock; all without one")
    parser.add_argument("--pip-word", action="append", default=[], metavar="NAME=WORD", help="a word for pip")
    parser.add_argument("--workspace", type=Path, default=os.environ.get("BUILD_WORKSPACE_DIRECTORY"))
    parser.add_argument("--runtime", type=Path, default=Path("../tool_runtime"))
    parser.add_argument("--pip", type=Path, default=Path("../root_pip/packages/python3-pip-whl.deb"))
    options = parser.parse_args(arguments)
    folder = Path(options.workspace, "roots")
    known = sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))
    for name in options.names:
        if name not in known:
            raise UserError(f"roots/{name}{SUFFIX}: no such file; there are: {', '.join(known) or 'none'}")
    runtime = options.runtime.absolute()
    with tempfile.TemporaryDirectory(prefix="update-wheels.") as scratch:
        pip = take_pip(options.pip, Path(scratch), runtime)
        texts = {}
        for name in options.names or known:
            print(f"resolving {name}", file=sys.stderr, flush=True)
            wheels = Path(scratch, f"{name}.wheels")
            further = [word.partition("=")[2] for word in options.pip_word if word.startswith(f"{name}=")]
            found = resolve(runtime / "bin/python3", pip, folder / f"{name}{SUFFIX}", wheels, further)
            texts[name] = lock_text(name, found)
    for name, text in texts.items():
        write_atomically(folder / f"{name}.requirements.txt", text)
        print(f"roots/{name}.requirements.txt: {text.count('--hash')} wheels")
    return 0


if __name__ == "__main__":
    run(main)
