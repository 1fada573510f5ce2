"""Make the first part of a guest's initramfs that has a container image's tree in a folder, for chroot(8).

The layers are put over each other as a runtime does it (OCI image specification, "Changeset"): later entries win.
Whiteouts are no question: the layers of this repository have none. Everything belongs to root.
"""

import argparse
import gzip
import io
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tools.initramfs.cpio import Entry, archive, folder, link, regular
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically


def tree(layers: Iterable[bytes], place: str, without: Sequence[str] = ()) -> list[Entry]:
    """The entries of a stack of tars, lowest first, below the folder `place`; `without` are folders to leave out.

    Raises UserError for what an initramfs can't have.
    """
    entries: dict[str, Entry] = {}
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as members:
            for name, entry in _entries(members, entries):
                entries[name] = entry
    return [
        replace(entry, name=f"{place}/{name}")
        for name, entry in entries.items()
        if not any(name == left or name.startswith(left + "/") for left in without)
    ]


def _entries(members: tarfile.TarFile, known: dict[str, Entry]) -> Iterator[tuple[str, Entry]]:
    for member in members:
        name = member.name
        if member.isdir():
            yield name, folder(name, member.mode)
        elif member.issym():
            yield name, link(name, member.linkname)
        elif member.islnk():
            yield name, known[member.linkname]
        elif member.isfile():
            content = members.extractfile(member)
            yield name, regular(name, content.read() if content else b"", member.mode)
        else:
            raise UserError(f"{name}: expected a file, a folder or a link in the image's layers")


def decompressed(layer: Path, zstd: Path) -> bytes:
    """The tar of a layer, NAME.tar.gz or NAME.tar.zst."""
    if layer.suffix == ".gz":
        return gzip.decompress(layer.read_bytes())
    return subprocess.run([zstd, "-dc", layer], stdout=subprocess.PIPE, check=True).stdout


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="image_tree", description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="the initramfs that the tree is added to")
    parser.add_argument("--place", required=True, help="the folder of the tree in the guest, without a slash before it")
    parser.add_argument("--without", action="append", default=[], help="a folder of the image to leave out")
    parser.add_argument("--zstd", type=Path, required=True, help="the program that decompresses layers")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("layers", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    layers = (decompressed(path, options.zstd) for path in options.layers)
    entries = tree(layers, options.place, options.without)
    write_atomically(options.output, options.base.read_bytes() + archive(entries))
    return 0


if __name__ == "__main__":
    run(main)
