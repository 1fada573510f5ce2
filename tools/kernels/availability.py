"""Which locked packages the mirrors still have: an index may list what was already dropped.

As a program it is for roots/private/locked_package.bzl, which can't tell a refusal from a dead network:
given, for each mirror, the addresses of a package and of its suite's index, it says "gone" when each
has the index and not the package.
"""

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tools.lib.cli import run
from tools.lib.locks import Package
from tools.roots.mirrors import Mirrors

_GONE = (404, 410)
_ATTEMPTS = 3
_WORKERS = 8
_TIMEOUT = 20


def _is_gone(url: str) -> bool:
    """Whether the mirror says that it doesn't have the file; a mirror that says nothing may have it."""
    request = urllib.request.Request(url, method="HEAD")
    for attempt in range(_ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT):
                return False
        except urllib.error.HTTPError as error:
            if error.code in _GONE:
                return True
        except OSError:
            pass
        time.sleep(attempt)
    return False


def _is_there(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_TIMEOUT):
            return True
    except OSError:
        return False


def is_dropped(places: Iterable[tuple[str, str]]) -> bool:
    """Whether each mirror has dropped the first of a pair: it has the second, so the address is a mirror's."""
    return all(_is_gone(url) and _is_there(index) for url, index in places)


def gone_packages(packages: Iterable[Package], mirrors: Mirrors) -> set[Package]:
    """The packages that every mirror answers 404 or 410 for, asked with HEAD, several at once."""
    listed = [package for package in packages if not package.url]
    print(f"asking the mirrors for {len(listed)} packages", file=sys.stderr, flush=True)

    def gone(package: Package) -> bool:
        return all(_is_gone(url) for url in mirrors.urls(package.archive, package.path))

    with ThreadPoolExecutor(_WORKERS) as pool:
        return {package for package, is_gone in zip(listed, pool.map(gone, listed), strict=True) if is_gone}


def main(arguments: Sequence[str]) -> int:
    """The command line: PACKAGE INDEX for each mirror."""
    if is_dropped(zip(arguments[::2], arguments[1::2], strict=True)):
        print("gone")
    return 0


if __name__ == "__main__":
    run(main)
