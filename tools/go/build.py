"""Build a program of locked Go modules in the root that has Go: static, offline, the same bytes each time."""

import argparse
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.go.modules import REFRESH, Lock, main_module, read_lock, vendor
from tools.lib.cli import run
from tools.lib.errors import UserError

_GO = "/usr/lib/go-{version}/bin/go"
_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOAMD64": "v1",
    "GOARCH": "amd64",
    "GOCACHE": "/tmp/cache",
    "GOENV": "off",
    "GOFLAGS": "",
    "GOOS": "linux",
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "HOME": "/tmp",
    "PATH": "/usr/bin",
}
_FLAGS = ("-mod=vendor", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=")


def explain(said: str, package: str) -> str:
    """What to tell of a failed build from what Go said."""
    missing = sorted(set(re.findall(r"cannot find module providing package (\S+?):", said)))
    if missing:
        return f"no module of the lock has {', '.join(missing)}, which {package} imports; refresh the lock: {REFRESH}"
    return f"Go can't build {package}:\n{said.strip()}"


def prepare(lock: Lock, zips: Path, sources: Sequence[tuple[str, Path]], folder: Path) -> None:
    """Lay out the module to build in: go.mod, vendor/, and further source files in the vendored packages.

    sources: (path below vendor/, file) pairs; @VERSION@ in a file becomes the version of the module that it goes to.
    """
    vendored = folder / "vendor"
    vendored.mkdir(parents=True)
    vendor(lock.modules, zips, vendored)
    (folder / "go.mod").write_text(main_module(lock))
    for place, source in sources:
        module = lock.module_of(str(Path(place).parent))
        target = vendored / place
        if target.exists():
            raise UserError(
                f"{module.path} {module.version} has {place} already; a further source needs a name of its own"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text().replace("@VERSION@", module.version))


def components(lock: Lock, lock_name: str) -> str:
    """The modules' entries of an SBOM, JSON, as LayersInfo.component_files has them."""
    found = [
        {"type": "golang", "name": module.path, "version": module.version, "arch": ""}
        | {"sha256": module.sha256, "lock": lock_name}
        for module in lock.modules
    ]
    return json.dumps(found, indent=2) + "\n"


def build(lock: Lock, go: str, folder: Path, output: Path) -> None:
    """Run Go in `folder`. Raises UserError with what it said."""
    words = [go, "build", *_FLAGS, "-o", str(output), lock.package]
    done = subprocess.run(
        words, cwd=folder, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UserError(explain(done.stderr or done.stdout, lock.package))


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="go_build", description=__doc__)
    parser.add_argument("--lock", type=Path, required=True)
    parser.add_argument("--lock-name", required=True, help="the lock's path in the repository")
    parser.add_argument("--modules", type=Path, required=True, help="the folder of the modules' zips")
    parser.add_argument("--go", required=True, help="the version of the root's Go, such as 1.24")
    parser.add_argument("--source", action="append", default=[], metavar="PLACE=FILE")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--components", type=Path, required=True)
    options = parser.parse_args(arguments)
    sources = [(place, Path(file)) for place, _, file in (source.partition("=") for source in options.source)]
    try:
        lock = read_lock(options.lock)
        prepare(lock, options.modules, sources, Path("/build/module"))
        build(lock, _GO.format(version=options.go), Path("/build/module"), options.output)
    except UserError as error:
        raise UserError(f"{options.lock_name}: {error}") from error
    options.components.write_text(components(lock, options.lock_name))
    return 0


if __name__ == "__main__":
    run(main)
