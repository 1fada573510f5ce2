"""Which locked packages the mirrors have now: an index may list what its mirror has dropped."""

import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from tools.lib.locks import Package
from tools.roots.mirrors import Mirrors

_AT_ONCE = 4
_SECONDS = 30


def is_dropped(package: Package, mirrors: Mirrors) -> bool:
    """Whether every mirror says that it hasn't got the package; no answer at all is no such word."""
    urls = mirrors.urls(package.archive, package.path)
    return bool(urls) and all(_answers_not_found(url) for url in urls)


def _answers_not_found(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_SECONDS):
            return False
    except urllib.error.HTTPError as error:
        return error.code in (404, 410)
    except OSError:
        return False


def dropped_keys(packages: Mapping[str, Package], keys: Iterable[str], mirrors: Mirrors) -> set[str]:
    """Those of `keys` whose packages every mirror has dropped."""
    asked = [key for key in sorted(set(keys)) if not packages[key].url]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(lambda key: is_dropped(packages[key], mirrors), asked)
        return {key for key, dropped in zip(asked, answers, strict=True) if dropped}
