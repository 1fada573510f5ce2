"""Make the first part of a guest's initramfs: the programs of the root that this runs in, and /init.

Every applet of busybox gets a link, unless the root has a program of that name.
"""

import argparse
import os
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.initramfs.cpio import Entry, archive, character_device, folder, link, regular
from tools.lib.cli import run
from tools.lib.files import write_atomically

BUSYBOX = "/bin/busybox"
# Links to the folders of these names in /usr.
_MERGED = ("bin", "lib", "lib32", "lib64", "sbin")
_TOP = ("etc", "usr", *_MERGED)
# run_in_root's own, which answers for the kernel that an action is for.
_NOT_OURS = "usr/local"
_MOUNT_POINTS = ("dev", "mnt", "modules", "proc", "root", "run", "sys")


def real_place(name: str) -> str:
    """Where a file really is whose name may lead through one of the links: a folder of that name would replace it."""
    return f"usr/{name}" if name.partition("/")[0] in _MERGED else name


def tree(root: Path) -> Iterator[Entry]:
    """The files below the folders and links at the top of `root` that make a userland."""
    for name in _TOP:
        if (root / name).is_symlink() or (root / name).exists():
            yield from _walk(root, name)


def _walk(root: Path, name: str) -> Iterator[Entry]:
    path = root / name
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        yield link(name, os.readlink(path))
    elif stat.S_ISDIR(mode):
        yield folder(name, stat.S_IMODE(mode))
        for child in path.iterdir():
            if f"{name}/{child.name}" != _NOT_OURS:
                yield from _walk(root, f"{name}/{child.name}")
    else:
        yield regular(name, path.read_bytes(), stat.S_IMODE(mode))


def applet_links(applets: Sequence[str], present: set[str]) -> Iterator[Entry]:
    """Links to busybox at the places that it names ("bin/ls"), where no folder of programs has that name."""
    programs = {Path(name).name for name in present if Path(name).parent.name in ("bin", "sbin")}
    for applet in applets:
        if Path(applet).name not in programs:
            yield link(real_place(applet), BUSYBOX)


def fixed_entries() -> Iterator[Entry]:
    """What no package has: mount points, and the console that the kernel opens for /init."""
    yield from map(folder, _MOUNT_POINTS)
    yield folder("tmp", 0o1777)
    yield character_device("dev/console", 5, 1)
    yield character_device("dev/null", 1, 3, 0o666)


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="userland", description=__doc__)
    parser.add_argument("--init", type=Path, required=True, help="the file that becomes /init")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    entries = list(tree(Path("/")))
    listed = subprocess.run([BUSYBOX, "--list-full"], stdout=subprocess.PIPE, text=True, check=True)
    entries += applet_links(listed.stdout.split(), {entry.name for entry in entries})
    entries += [*fixed_entries(), regular("init", options.init.read_bytes(), 0o755)]
    write_atomically(options.output, archive(entries))
    return 0


if __name__ == "__main__":
    run(main)
