"""Which locked packages the mirrors still have: an index may list what was already dropped."""

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

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


def gone_packages(packages: Iterable[Package], mirrors: Mirrors) -> set[Package]:
    """The packages that every mirror answers 404 or 410 for, asked with HEAD, several at once."""
    listed = [package for package in packages if not package.url]
    print(f"asking the mirrors for {len(listed)} packages", file=sys.stderr, flush=True)

    def gone(package: Package) -> bool:
        return all(_is_gone(url) for url in mirrors.urls(package.archive, package.path))

    with ThreadPoolExecutor(_WORKERS) as pool:
        return {package for package, is_gone in zip(listed, pool.map(gone, listed), strict=True) if is_gone}
