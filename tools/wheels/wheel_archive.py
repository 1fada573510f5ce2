"""Make one tar of wheels, to be unpacked over a root; the same bytes each time.

Modules come compiled too, as an installation would leave them: nothing can be written into a root.
"""

import argparse
import io
import py_compile
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically
from tools.wheels.wheel import Member, members

# Debian's Python looks for what is no package of Debian here, by its own version (site.py).
PREFIX = "usr/local"
SITE = "usr/local/lib/python{version}/dist-packages"


def archive(wheels: Sequence[Path], version: str) -> bytes:
    """The tar of all the wheels' files, sorted by path, owned by root, at time 0.

    Raises UserError when two wheels have a file of the same path with different contents.
    """
    found: dict[str, Member] = {}
    for wheel in wheels:
        for member in members(wheel, PREFIX, SITE.format(version=version)):
            if found.setdefault(member.path, member) != member:
                raise UserError(f"{wheel.name}: {member.path} is in another wheel too, with another content")
    if version == "{}.{}".format(*sys.version_info[:2]):
        found |= _compiled(found)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as output:
        for path, member in sorted(found.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(member.content), member.mode
            output.addfile(entry, io.BytesIO(member.content))
    return buffer.getvalue()


def _compiled(found: Mapping[str, Member]) -> dict[str, Member]:
    """The .pyc of each module that compiles, without times or paths of the machine (PEP 552, unchecked hash)."""
    compiled = {}
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch, "module.py"), Path(scratch, "module.pyc")
        for path, member in found.items():
            if not path.endswith(".py") or "/bin/" in path:
                continue
            source.write_bytes(member.content)
            try:
                py_compile.compile(
                    str(source),
                    cfile=str(target),
                    dfile=f"/{path}",
                    doraise=True,
                    optimize=0,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                )
            except py_compile.PyCompileError:
                continue  # such as templates of modules; pip leaves them alone, too
            place = PurePosixPath(path)
            name = str(place.parent / "__pycache__" / f"{place.stem}.{sys.implementation.cache_tag}.pyc")
            compiled[name] = Member(name, target.read_bytes(), 0o644)
    return compiled


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="wheel_archive", description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--python", required=True, help="the version of the root's Python, such as 3.11")
    parser.add_argument("wheels", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    write_atomically(options.output, archive(options.wheels, options.python))
    return 0


if __name__ == "__main__":
    run(main)
