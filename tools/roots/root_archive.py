"""Make a root's archive: the packages of its lock as one tar that unpacks to a usable root.

Maintainer scripts don't run; what a command needs of them is written here (names of users,
the host's own name) or in the root's YAML (`links`, for alternatives).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tools.lib.cli import run
from tools.lib.locks import read_lock
from tools.roots.archives import concatenate, overlay

# Packages of before the merge of /usr name these folders. As links in every root, which
# run_in_root keeps when it unpacks, they lead to where newer packages put their files.
_MERGED = ("bin", "lib", "lib32", "lib64", "sbin")
_FOLDERS = ("etc", "usr", *(f"usr/{name}" for name in _MERGED))
_FILES = {
    "etc/passwd": "root:x:0:0:root:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost forge\n::1 localhost forge\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="root_archive", description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--runtime", type=Path, required=True)
    parser.add_argument("--lock", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--extra", action="store_true", help="the packages are an extra's: no base files")
    parser.add_argument("packages", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    lock = read_lock(options.lock)
    links = {name: f"usr/{name}" for name in _MERGED} | dict(lock.links)
    base = b"" if options.extra else overlay(_FOLDERS, _FILES, links)
    concatenate(options.runtime, sorted(options.packages), options.output, lock.exclude, base)
    return 0


if __name__ == "__main__":
    run(main)
