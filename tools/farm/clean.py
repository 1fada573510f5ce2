"""Keeping the cache below its size: the files that weren't read or written for longest go first.

A file of the storage is a blob, named by its digest. BuildGrid looks on the disk whether it has
one, so a file may go at any time; a result in the action cache that names it is no hit any more.
"""

import os
from pathlib import Path

# After cleaning there is room for some builds more.
_KEEP = 0.8


def cache_files(folder: Path) -> list[tuple[float, int, Path]]:
    """(when it was used last, bytes, path) of each blob."""
    found = []
    for place, _, names in os.walk(folder / "cas/objects"):
        for name in names:
            path = Path(place, name)
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((max(status.st_atime, status.st_mtime), status.st_size, path))
    return found


def clean(folder: Path, limit: int) -> tuple[int, int]:
    """Remove files until the storage is well below `limit` bytes, if it is above.

    Returns how many were removed and the bytes that are left.
    """
    files = cache_files(folder)
    size = sum(file[1] for file in files)
    if size <= limit:
        return 0, size
    removed = 0
    for _, count, path in sorted(files):
        if size <= limit * _KEEP:
            break
        path.unlink(missing_ok=True)
        size -= count
        removed += 1
    return removed, size
