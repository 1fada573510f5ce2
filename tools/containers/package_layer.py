"""Make a layer of Debian packages: their files and what dpkg keeps of them, except for its state.

The members come from the package as dpkg-deb(1) streams them, so owners, modes and links are the package's own. Their
places are those of a merged /usr: what an older package has in /bin lies in /usr/bin. Documentation is left out, but
for copyright files. The files of the package's control archive lie where dpkg looks for them,
/var/lib/dpkg/info (dpkg's own format 1 of that folder).
"""

import argparse
import fnmatch
import io
import posixpath
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tools.containers.contents import CHARACTER, DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK, Entry
from tools.containers.layer import Part, Source, measured, write_outputs
from tools.containers.layer_options import add_layer_options, layer_outputs, zstd_program
from tools.lib.cli import run
from tools.lib.errors import UserError

INFO = "var/lib/dpkg/info"
MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
# As dpkg's path-exclude and path-include (dpkg.cfg(5)); `tools.containers.configure` gives them to dpkg itself.
EXCLUDED = (
    "usr/share/doc/*",
    "usr/share/groff/*",
    "usr/share/info/*",
    "usr/share/lintian/*",
    "usr/share/linda/*",
    "usr/share/locale/*",
    "usr/share/man/*",
)
INCLUDED = ("usr/share/doc/*/copyright",)
_TYPES = {
    tarfile.REGTYPE: FILE,
    tarfile.AREGTYPE: FILE,
    tarfile.DIRTYPE: DIRECTORY,
    tarfile.SYMTYPE: SYMLINK,
    tarfile.LNKTYPE: HARDLINK,
    tarfile.CHRTYPE: CHARACTER,
    tarfile.FIFOTYPE: FIFO,
}


def is_excluded(path: str) -> bool:
    """Whether a path is documentation that images don't have. Folders of copyright files stay."""
    if any(fnmatch.fnmatch(path, pattern) for pattern in INCLUDED):
        return False
    return any(fnmatch.fnmatch(path, pattern) for pattern in EXCLUDED)


def merged(path: str) -> str:
    """The place of a package's path where /bin and its like are links into /usr."""
    first, _, rest = path.partition("/")
    return f"usr/{first}/{rest}" if rest and first in MERGED else path


def _stands_for_a_folder(path: str, kind: str) -> bool:
    """Whether a link says that a package's documentation, so its copyright file, is another's."""
    return kind == SYMLINK and str(Path(path).parent) == "usr/share/doc"


def _run(words: Sequence[str | Path], package: Path) -> bytes:
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise UserError(f"{package}: not a Debian package: {said}; remove the file, so that it is fetched anew")
    return done.stdout


def data_entries(archive: tarfile.TarFile) -> tuple[dict[str, Entry], dict[str, Source], list[str]]:
    """The entries and bytes of a package's data archive, and its paths as dpkg lists them."""
    entries: dict[str, Entry] = {}
    sources: dict[str, Source] = {}
    listed = ["/."]
    wanted_folders: set[str] = set()
    for member in archive:
        name = posixpath.normpath(member.name).lstrip("/")
        if name == ".":
            continue
        listed.append(f"/{name}")
        path = merged(name)
        kind = _TYPES.get(member.type)
        if kind is None:
            raise UserError(f"/{name}: a package's member of type {member.type!r}, which no layer can hold")
        if kind == DIRECTORY and name in MERGED:
            continue
        if is_excluded(path) and kind != DIRECTORY and not _stands_for_a_folder(path, kind):
            continue
        target = merged(posixpath.normpath(member.linkname)) if kind == HARDLINK else member.linkname
        device = (member.devmajor, member.devminor) if kind == CHARACTER else (0, 0)
        mode = 0o777 if kind == SYMLINK else member.mode
        entry = Entry(path, kind, mode, member.uid, member.gid, target=target, device=device)
        if kind == FILE:
            content = archive.extractfile(member)
            assert content
            sources[path] = content.read()
            entry = measured(entry, sources[path])
        entries[path] = entry
        if kind != DIRECTORY:
            wanted_folders.update(str(parent) for parent in Path(path).parents)
    for path, entry in list(entries.items()):
        if entry.type == DIRECTORY and is_excluded(path) and path not in wanted_folders:
            del entries[path]
    return entries, sources, listed


def info_prefix(control: str) -> str:
    """What dpkg calls the files of a package in its info folder: NAME, or NAME:ARCHITECTURE if several may be there."""
    fields = dict(line.split(": ", 1) for line in control.splitlines() if ": " in line and not line.startswith(" "))
    name = fields["Package"]
    return f"{name}:{fields['Architecture']}" if fields.get("Multi-Arch") == "same" else name


def package_entries(data: bytes, control: bytes) -> tuple[list[Entry], dict[str, Source]]:
    """The entries of a package's layer and the bytes of its files, from the package's two archives."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        entries, sources, listed = data_entries(archive)
    members: dict[str, tuple[int, bytes]] = {}
    with tarfile.open(fileobj=io.BytesIO(control)) as archive:
        for member in archive:
            if member.isfile():
                content = archive.extractfile(member)
                assert content
                members[posixpath.basename(member.name)] = (member.mode, content.read())
    prefix = info_prefix(members.pop("control")[1].decode())
    members["list"] = (0o644, "".join(f"{path}\n" for path in listed).encode())
    for name, (mode, content_bytes) in members.items():
        path = f"{INFO}/{prefix}.{name}"
        sources[path] = content_bytes
        entries[path] = measured(Entry(path, FILE, 0o755 if mode & 0o100 else 0o644), content_bytes)
    resolved = {path: _resolved(entry, entries) for path, entry in entries.items()}
    return list(resolved.values()), sources


def _resolved(entry: Entry, entries: dict[str, Entry]) -> Entry:
    """A hard link has its file's mode and owner, whatever its member says."""
    if entry.type != HARDLINK:
        return entry
    file = entries[entry.target]
    return replace(entry, mode=file.mode, uid=file.uid, gid=file.gid)


def read_package(dpkg_deb: Path, name: str, place: str) -> Part:
    """A package's part of the layer. Raises UserError when the file isn't a package."""
    package = Path(place)
    data = _run([dpkg_deb, "--fsys-tarfile", package], package)
    control = _run([dpkg_deb, "--ctrl-tarfile", package], package)
    return Part(name, *package_entries(data, control))


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="package_layer", description=__doc__)
    add_layer_options(parser)
    parser.add_argument("packages", nargs="+", metavar="NAME=PATH")
    options = parser.parse_args(arguments)
    dpkg_deb = Path(options.runtime, "bin/dpkg-deb")
    parts = [read_package(dpkg_deb, *text.split("=", 1)) for text in options.packages]
    write_outputs(options.name, parts, layer_outputs(options), options.compression, zstd_program(options))
    return 0


if __name__ == "__main__":
    run(main)
