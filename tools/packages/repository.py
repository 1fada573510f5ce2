"""Index packages for apt or dnf, with the distributions' own programs: the action of the rule `package_repository`.

Runs in a root with apt-ftparchive, createrepo_c, dpkg-deb and rpm, in a folder that it may write to. Leaves in
the output folder

    deb  Packages, Packages.gz, Release: a flat repository (https://wiki.debian.org/DebianRepository/Format)
    rpm  repomd.xml, primary.xml.gz, filelists.xml.gz, other.xml.gz (createrepo_c(8)), whose place is `repodata/`

Nothing is signed: the key is no business of a build.
"""

import argparse
import gzip
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.roots.clock import SOURCE_DATE_EPOCH, clock_environment

ORIGIN = "contrail-forge"
FOLDER = "packages"
# How each kind's program says what a package is, and what its user calls it.
_QUERIES = {
    "deb": ("dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture}"),
    "rpm": (*("rpm", "-qp", "--nosignature", "--nodigest"), "--queryformat=%{NAME} %{EVR} %{ARCH}"),
}
_REPODATA = ("repomd.xml", "primary.xml.gz", "filelists.xml.gz", "other.xml.gz")


def identity(kind: str, file: Path, name: str) -> str:
    """NAME VERSION ARCHITECTURE of a package. Raises UserError, which calls the file `name`, if it is none."""
    done = subprocess.run([*_QUERIES[kind], str(file)], capture_output=True, text=True, check=False)
    # rpm's exit code is 0 for an old form of package that it can't read.
    if done.returncode or len(done.stdout.split()) != 3:
        said = done.stderr.strip().rpartition("\n")[2] or "it has no name, version and architecture"
        raise UserError(f"{name}: no .{kind} package: {said}; expected a file that a package builder wrote")
    return done.stdout


def check_unique(identities: Mapping[str, str], files: Mapping[str, Path]) -> None:
    """Raise UserError if two files, which messages call by the keys, are the same name, version and architecture."""
    first: dict[str, str] = {}
    for name, package in identities.items():
        other = first.setdefault(package, name)
        if other != name:
            same = files[other].read_bytes() == files[name].read_bytes()
            bytes_are = "with the same bytes" if same else "with different bytes"
            raise UserError(f"{other} and {name} are both {package}, {bytes_are}; keep one, or raise a version")


def index_debs(output: Path, release: str, distribution: str) -> None:
    """Write the index of the packages of this folder, and Release, by which apt verifies and pins it."""
    packages = _output("apt-ftparchive", "--md5=no", "--sha1=no", "packages", FOLDER)
    Path("Packages").write_bytes(packages)
    Path("Packages.gz").write_bytes(gzip.compress(packages, mtime=0))
    fields = {"Origin": ORIGIN, "Label": release, "Suite": release, "Codename": distribution}
    options = [f"-oAPT::FTPArchive::Release::{name}={value}" for name, value in fields.items()]
    # What a folder has, apart from packages, is listed by Release.
    listed = _output(
        "apt-ftparchive", "--md5=no", "--sha1=no", *options,
        "-oAPT::FTPArchive::Release::Patterns::=Packages*", "release", ".",
    )  # fmt: skip
    for name in ("Packages", "Packages.gz"):
        shutil.copyfile(name, output / name)
    (output / "Release").write_bytes(listed)


def index_rpms(output: Path) -> None:
    """Write the metadata of the packages of this folder."""
    words = [
        *("createrepo_c", "--quiet", "--workers=1", "--no-database", "--simple-md-filenames"),
        *("--general-compress-type=gz", f"--revision={SOURCE_DATE_EPOCH}", "--set-timestamp-to-revision"),
        *("--outputdir=made", "."),
    ]  # fmt: skip
    Path("made").mkdir()
    # primary.xml has each file's time.
    for file in sorted(Path(FOLDER).iterdir()):
        os.utime(file, (SOURCE_DATE_EPOCH, SOURCE_DATE_EPOCH))
    _output(*words)
    for name in _REPODATA:
        shutil.copyfile(Path("made/repodata", name), output / name)


def _output(*words: str) -> bytes:
    done = subprocess.run(
        words, env=os.environ | clock_environment(Path("/")), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        raise UserError(
            f"{words[0]} failed with code {done.returncode}:\n{done.stderr.decode(errors='replace').strip()}"
        )
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="repository", description=__doc__)
    parser.add_argument("--kind", choices=sorted(_QUERIES), required=True)
    parser.add_argument("--release", required=True, help="the release of the platform that the packages are of")
    parser.add_argument("--distribution", required=True, help="the distribution that they are for")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("packages", nargs="+", metavar="PLACE=NAME", help="a package, and what messages call it")
    options = parser.parse_args(arguments)
    files = {name: Path(place) for place, _, name in (text.partition("=") for text in options.packages)}
    check_unique({name: identity(options.kind, file, name) for name, file in files.items()}, files)
    Path(FOLDER).mkdir()
    for file in files.values():
        shutil.copyfile(file, Path(FOLDER, file.name))
    if options.kind == "deb":
        index_debs(options.output, options.release, options.distribution)
    else:
        index_rpms(options.output)
    return 0


if __name__ == "__main__":
    run(main)
