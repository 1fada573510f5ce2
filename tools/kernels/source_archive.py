"""Make the archive of a module source: files of the workspace, or a folder of a package."""

import argparse
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.kernels.parts import is_c_file, write_parts
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.roots.archives import concatenate
from tools.roots.clock import SOURCE_DATE_EPOCH


def _entry(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mtime = SOURCE_DATE_EPOCH
    return entry


def archive_files(files: dict[str, Path], output: Path) -> None:
    """Write a tar of `files` (name to path) in name order.

    All are executable: a remote worker makes every input so, and the bytes must be the same everywhere.
    """
    with tarfile.open(output, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, path in sorted(files.items()):
            entry = _entry(name)
            entry.size, entry.mode = path.stat().st_size, 0o755
            with path.open("rb") as stream:
                archive.addfile(entry, stream)


def archive_package(runtime: Path, package: Path, prefix: str, generated: dict[str, Path], output: Path) -> None:
    """Write a tar of what lies below `prefix` in a package, then `generated` files.

    Raises UserError when the package has no such folder.
    """
    with tempfile.TemporaryDirectory(prefix=".source.", dir=output.parent) as scratch:
        whole = Path(scratch, "package.tar")
        concatenate(runtime, [package], whole)
        folders: set[str] = set()
        count = 0
        with tarfile.open(whole) as given, tarfile.open(output, "w", format=tarfile.GNU_FORMAT) as archive:
            for member in given:
                name = member.name.removeprefix("./")
                folders.add(str(Path(name).parent))
                if not name.startswith(f"{prefix}/") or member.isdir():
                    continue
                entry = _entry(name.removeprefix(f"{prefix}/"))
                entry.mode, entry.type, entry.size = member.mode | 0o200, member.type, member.size
                entry.linkname = member.linkname
                if member.islnk():  # a hard link's target is a name in the archive
                    entry.linkname = member.linkname.removeprefix("./").removeprefix(f"{prefix}/")
                archive.addfile(entry, given.extractfile(member) if member.isreg() else None)
                count += 1
            for name, path in sorted(generated.items()):
                entry = _entry(name)
                entry.size, entry.mode = path.stat().st_size, 0o644
                with path.open("rb") as stream:
                    archive.addfile(entry, stream)
        if not count:
            output.unlink()
            sources = sorted(folder for folder in folders if folder.startswith("usr/src/"))
            raise UserError(
                f"{package.name}: has no folder {prefix!r}; correct `strip_prefix`; "
                f"it has: {', '.join(sources) or 'nothing below usr/src'}"
            )


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="source_archive", description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--runtime", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--package", type=Path)
    parser.add_argument("--strip-prefix", default="")
    parser.add_argument("--outline", type=Path, help="where to write what plans depend on")
    parser.add_argument("--headers", type=Path, help="where to write what objects depend on, besides their C file")
    parser.add_argument("--c-file", action="append", default=[], metavar="NAME=PATH", help="a C file to take out")
    parser.add_argument("--target", default="", help="the source, for messages")
    parser.add_argument("files", nargs="*", metavar="NAME=PATH")
    options = parser.parse_args(arguments)
    files = {name: Path(path) for name, _, path in (file.partition("=") for file in options.files)}
    if options.package:
        archive_package(options.runtime, options.package, options.strip_prefix.strip("/"), files, options.output)
    else:
        archive_files(files, options.output)
    if options.outline:
        c_files = {name: Path(path) for name, _, path in (file.partition("=") for file in options.c_file)}
        if missing := write_parts(options.output, options.outline, options.headers, c_files):
            with tarfile.open(options.output) as archive:
                found = sorted(name for name in archive.getnames() if is_c_file(name))
            raise UserError(
                f"{options.target}: `package` has no {', '.join(missing)}; correct `package_c_files`; "
                f"it has: {', '.join(found) or 'no C file'}"
            )
    return 0


if __name__ == "__main__":
    run(main)
