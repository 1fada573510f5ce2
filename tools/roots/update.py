"""Lock roots: ./bazelw run //roots:update [-- NAME...]

Resolves roots/NAME.yaml (all of them without a NAME) against the signed indexes of the mirrors
and writes roots/NAME.lock.json, when every root of the run is resolved.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.locks import Lock, write_lock
from tools.roots.apt import Apt, Programs
from tools.roots.mirrors import find_mirrors
from tools.roots.resolve import preferred_suites, resolve
from tools.roots.spec import read_spec


def add_apt_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every updater has; read them with `programs`."""
    parser.add_argument("--workspace", type=Path, required=True, help="the checkout whose files are written")
    parser.add_argument("--apt-root", type=Path, help="an unpacked root with apt; the machine's own apt without it")
    parser.add_argument("--keyring", type=Path, help="trust these keys instead of Debian's")


def programs(options: argparse.Namespace) -> Programs:
    """The apt that the options name. Raises UserError when there is none."""
    root: Path | None = options.apt_root
    if root is not None and not (root / "usr/bin/apt-get").exists():
        raise UserError(f"--apt-root {root}: no usr/bin/apt-get there; give the folder of an unpacked root `apt`")
    keyring: Path | None = options.keyring
    if keyring is not None and not keyring.is_file():
        raise UserError(f"--keyring {keyring}: no such file")
    return Programs(root and root.resolve(), keyring and keyring.resolve())


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="roots:update", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="roots to lock; all without one")
    add_apt_arguments(parser)
    options = parser.parse_args(arguments)
    folder: Path = options.workspace / "roots"
    names: list[str] = options.names or sorted(path.stem for path in folder.glob("*.yaml"))
    specs = [(folder / f"{name}.yaml", read_spec(folder / f"{name}.yaml")) for name in names]
    if not specs:
        raise UserError(f"{folder}: no root there (NAME.yaml)")
    apt_programs, mirrors = programs(options), find_mirrors()
    locks: list[Lock] = []
    with tempfile.TemporaryDirectory(prefix="roots-update.") as scratch:
        states: dict[tuple[tuple[str, ...], tuple[str, ...]], Apt] = {}
        for path, spec in specs:
            key = (preferred_suites(spec.suite), spec.pockets)
            if key not in states:
                states[key] = Apt(Path(scratch, str(len(states))), key[0], mirrors, apt_programs, key[1])
                states[key].update()
            print(f"resolving {spec.name}", file=sys.stderr, flush=True)
            locks.append(resolve(spec, hashlib.sha256(path.read_bytes()).hexdigest(), states[key]))
    for lock in locks:
        write_lock(folder / f"{lock.name}.lock.json", lock)
        size = sum(package.size for package in lock.packages) / 1e6
        print(f"roots/{lock.name}.lock.json: {len(lock.packages)} packages, {size:.0f} MB")
    return 0


if __name__ == "__main__":
    run(main)
