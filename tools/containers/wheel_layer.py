"""Make a layer of locked wheels: a virtual environment for the image's own Python.

The format of the environment is that of pyvenv.cfg (PEP 405); what a wheel puts where is tools/wheels/wheel.py's.
"""

import argparse
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from tools.containers.contents import FILE, SYMLINK, Entry, normal_path
from tools.containers.layer import Part, Source, measured, write_outputs
from tools.containers.layer_options import add_layer_options, layer_outputs, zstd_program
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.wheels.wheel import members

_PYTHON = "/usr/bin/python{version}"
_SHEBANG = b"#!/usr/bin/python3\n"
_CONFIGURATION = "home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n"


def fits(wheel: str, version: str) -> bool:
    """Whether a wheel's name (PEP 427, with the tags of PEP 425) says that it is for this Python, on x86-64 or any."""
    parts = wheel.removesuffix(".whl").split("-")
    pythons, abis, platforms = (part.split(".") for part in parts[-3:])
    if not any(platform == "any" or platform.endswith("x86_64") for platform in platforms):
        return False
    major, minor = version.split(".")
    if f"py{major}" in pythons or f"cp{major}{minor}" in pythons:
        return True
    numbers = [int(match[1]) for python in pythons if (match := re.fullmatch(rf"cp{major}(\d+)", python))]
    return f"abi{major}" in abis and any(number <= int(minor) for number in numbers)


def environment(
    name: str, wheels: Sequence[Path], prefix: str, version: str
) -> tuple[list[Entry], dict[str, Source]]:
    """The entries of the virtual environment at `prefix`, and the bytes of its files.

    Raises UserError, which begins with `name`, for a wheel of another Python or platform, or a file of two wheels.
    """
    folder = normal_path(prefix, f"{name}: prefix")
    sources: dict[str, Source] = {f"{folder}/pyvenv.cfg": _CONFIGURATION.format(version=version).encode()}
    modes = {f"{folder}/pyvenv.cfg": 0o644}
    for wheel in wheels:
        if not fits(wheel.name, version):
            raise UserError(
                f"{name}: {wheel.name} isn't for Python {version} on x86-64; lock one that is, or give the `python` of "
                "the wheels"
            )
        for member in members(wheel, folder, f"{folder}/lib/python{version}/site-packages"):
            content = member.content
            if content.startswith(_SHEBANG):
                content = f"#!/{folder}/bin/python3\n".encode() + content.removeprefix(_SHEBANG)
            if sources.setdefault(member.path, content) != content:
                raise UserError(f"{name}: {wheel.name}: /{member.path} is in another wheel, too, with another content")
            modes[member.path] = member.mode
    entries = [measured(Entry(path, FILE, modes[path]), source) for path, source in sources.items()]
    python = _PYTHON.format(version=version)
    entries += [Entry(f"{folder}/bin/{link}", SYMLINK, 0o777, target=python) for link in ("python", "python3")]
    return entries, sources


def components(wheels: Sequence[Path], lock: str) -> str:
    """The wheels' entries of an SBOM, JSON, as LayersInfo.component_files has them."""
    found = []
    for wheel in wheels:
        project, version = wheel.name.split("-")[:2]
        content = {"type": "wheel", "name": re.sub(r"[-_.]+", "-", project).lower(), "version": version, "arch": ""}
        found.append(content | {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(), "lock": lock})
    return json.dumps(found, indent=2) + "\n"


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="wheel_layer", description=__doc__)
    add_layer_options(parser)
    parser.add_argument("--prefix", required=True, help="where the environment lies in the container")
    parser.add_argument("--python", required=True, help="the version of the image's Python, such as 3.13")
    parser.add_argument("--lock", required=True, help="the lock's path in the repository")
    parser.add_argument("--components", type=Path, required=True)
    parser.add_argument("wheels", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    entries, sources = environment(options.name, options.wheels, options.prefix, options.python)
    parts = [Part(options.name, entries, sources)]
    write_outputs(options.name, parts, layer_outputs(options), options.compression, zstd_program(options))
    options.components.write_text(components(options.wheels, options.lock))
    return 0


if __name__ == "__main__":
    run(main)
