"""Turn packages into one tar archive, the same bytes each time, without unpacking them.

bsdtar copies members from archive to archive, so nothing touches the disk in between and
names, modes and times are those of the packages. A .deb gives its data by dpkg-deb(1);
bsdtar reads an .rpm itself.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from tools.lib.errors import UserError

_FULL = 1 << 16  # a disk with fewer free bytes is taken for full


def overlay(folders: Sequence[str], files: Mapping[str, str], links: Mapping[str, str]) -> bytes:
    """A tar of folders, small files and symbolic links, in this order, owned by root, at time 0."""
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in folders:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content.encode()), 0o644
            archive.addfile(entry, BytesIO(content.encode()))
        for name, target in sorted(links.items()):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
            archive.addfile(entry)
    return buffer.getvalue()


def _feed(runtime: Path, package: Path, pipe: Path, errors: list[str]) -> None:
    """Write the data of a .deb into the named pipe."""
    with pipe.open("wb") as stream:
        done = subprocess.run(
            [runtime / "bin/dpkg-deb", "--fsys-tarfile", package], stdout=stream, stderr=subprocess.PIPE, check=False
        )
    # A reader that has seen the end of the archive may close early: SIGPIPE is no error here.
    if done.returncode and b"Broken pipe" not in done.stderr:
        errors.append(f"{package}: {done.stderr.decode(errors='replace').strip()}")


def concatenate(
    runtime: Path,
    packages: Sequence[Path],
    output: Path,
    exclude: Sequence[str] = (),
    extra: bytes = b"",
) -> None:
    """Write the files of `packages` (.deb or .rpm), after those of `extra`, to the tar `output`.

    `exclude` are shell patterns of paths, without a leading "./"; a folder's pattern leaves
    out what is below it.
    Raises UserError when a package can't be read or the output can't be written.
    """
    if not packages:
        raise UserError(f"{output}: no package to make it of")
    with tempfile.TemporaryDirectory(prefix=".archive.", dir=output.parent) as scratch:
        words = [f"{runtime}/bin/bsdtar", "-c", "-f", str(output), "--format=gnutar"]
        words += ["--uid=0", "--gid=0", "--numeric-owner"]
        for pattern in exclude:
            words += ["--exclude", f"./{pattern}"]
        if extra:
            Path(scratch, "extra.tar").write_bytes(extra)
            words.append(f"@{scratch}/extra.tar")
        feeders: list[tuple[Path, Path]] = []
        for number, package in enumerate(packages):
            if package.suffix == ".rpm":
                words.append(f"@{package}")
                continue
            pipe = Path(scratch, f"{number}.pipe")
            os.mkfifo(pipe)
            feeders.append((package, pipe))
            words.append(f"@{pipe}")
        errors: list[str] = []

        def feed_all() -> None:
            for package, pipe in feeders:
                _feed(runtime, package, pipe, errors)

        # A daemon, because a bsdtar that failed leaves it waiting at the next pipe.
        feeder = threading.Thread(target=feed_all, daemon=True)
        feeder.start()
        done = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            feeder.join()
        if done.returncode or errors:
            # bsdtar says "Write error" and not why.
            full = shutil.disk_usage(output.parent).free < _FULL
            output.unlink(missing_ok=True)
            if full:
                raise UserError(f"{output}: no space left; make room and build it again")
            raise UserError("\n".join([*errors, f"{output.name}: cannot make the archive: {done.stderr.strip()}"]))
