"""Lock Go modules: ./bazelw run //containers:update_go [-- NAME...]

For each containers/NAME/go.mod, Go finds the modules that its tool takes, from the module proxy that Go's own settings
name (`go env GOPROXY`), checks their sums as it always does, and containers/NAME/go.lock.json pins them.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.go.modules import Lock, Module
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

INPUT, OUTPUT = "go.mod", "go.lock.json"
_TOOL = re.compile(r"^tool\s+([^\s()]+)$", re.MULTILINE)
_SECONDS = 1800


def parse_modules(text: str) -> list[Module]:
    """The modules of what `go mod download -json` printed. Raises UserError with each that Go can't have."""
    decoder = json.JSONDecoder()
    modules, errors = [], []
    text = text.strip()
    while text:
        entry, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        if entry.get("Error"):
            errors.append(entry["Error"])
        else:
            digest = hashlib.sha256(Path(entry["Zip"]).read_bytes()).hexdigest()
            modules.append(Module(entry["Path"], entry["Version"], entry["Sum"], digest))
    if errors:
        raise UserError("Go can't fetch what is needed: " + "; ".join(errors))
    return modules


class Go:
    """The locked Go with the caller's settings: proxy, credentials and module cache are the caller's."""

    def __init__(self, program: Path, environment: Mapping[str, str]) -> None:
        self._program = program
        kept = {name: value for name, value in environment.items() if name not in ("GOROOT", "GOFLAGS", "GOWORK")}
        self._environment = kept | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
        self._environment |= {"GOOS": "linux", "GOARCH": "amd64", "CGO_ENABLED": "0"}

    def run(self, folder: Path, *words: str) -> str:
        """What a command printed. Raises UserError with what it said, unless it printed something to read."""
        try:
            done = subprocess.run(
                [self._program, *words],
                cwd=folder,
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise UserError(f"Go has not ended after {_SECONDS} seconds; run it again") from error
        if done.returncode and not done.stdout.strip():
            raise UserError(f"Go can't resolve it: {done.stderr.strip()}")
        return done.stdout


def resolve(go: Go, text: str, folder: Path) -> Lock:
    """The lock for a go.mod's text, resolved in the empty `folder`."""
    tools = _TOOL.findall(text)
    if len(tools) != 1:
        raise UserError(f"it must name one program, by a line: tool PACKAGE; there are {len(tools)}")
    (folder / INPUT).write_text(text)
    listed = go.run(folder, "list", "-deps", "-f", "{{with .Module}}{{.Path}}@{{.Version}}{{end}}", tools[0])
    wanted = sorted({line for line in listed.splitlines() if line})
    modules = parse_modules(go.run(folder, "mod", "download", "-json", *wanted))
    version = json.loads(go.run(folder, "mod", "edit", "-json"))["Go"]
    return Lock(tools[0], version, tuple(modules))


def take_go(packages: Sequence[Path], folder: Path, runtime: Path) -> Path:
    """The program `go`, out of its Debian packages."""
    for package in packages:
        subprocess.run([runtime / "bin/dpkg-deb", "-x", package, folder], check=True)
    (program,) = folder.glob("usr/lib/go-*/bin/go")
    return program


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="containers:update_go", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to lock; all without one")
    parser.add_argument("--workspace", type=Path, default=os.environ.get("BUILD_WORKSPACE_DIRECTORY"))
    parser.add_argument("--runtime", type=Path, default=Path("../tool_runtime"))
    parser.add_argument("--packages", type=Path, default=Path("../root_go/packages"))
    options = parser.parse_args(arguments)
    folder = Path(options.workspace, "containers")
    known = sorted(path.parent.name for path in folder.glob(f"*/{INPUT}"))
    for name in options.names:
        if name not in known:
            raise UserError(f"containers/{name}/{INPUT}: no such file; there are: {', '.join(known) or 'none'}")
    with tempfile.TemporaryDirectory(prefix="update-go.") as scratch:
        program = take_go(sorted(options.packages.glob("*.deb")), Path(scratch, "go"), options.runtime.absolute())
        go = Go(program, os.environ)
        texts = {}
        for name in options.names or known:
            print(f"resolving {name}", file=sys.stderr, flush=True)
            module = Path(scratch, "module")
            module.mkdir()
            try:
                texts[name] = resolve(go, (folder / name / INPUT).read_text(), module).to_json()
            except UserError as error:
                raise UserError(f"containers/{name}/{INPUT}: {error}") from error
            shutil.rmtree(module)
    for name, text in texts.items():
        write_atomically(folder / name / OUTPUT, text)
        print(f"containers/{name}/{OUTPUT}: {text.count('sha256')} modules")
    return 0


if __name__ == "__main__":
    run(main)
