"""Add a kernel to the catalogue.

    ./bazelw run //kernels:add -- RELEASE
    ./bazelw run //kernels:add -- RELEASE --url URL --sha256 HEX [--url URL --sha256 HEX ...] --root ROOT

The first form takes the kernel from the suites' indexes; the others stay as they are. The second
takes header packages from anywhere: an Ubuntu-style pair of .deb (linux-headers-RELEASE, and the
`_all` one that it depends on), or an RPM (kernel-devel). Each is fetched once to check it.
"""

import argparse
import hashlib
import re
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.kernels.catalogue import REFRESH, Kernel, find_kernels, package_key, read_catalogue, write_catalogue
from tools.kernels.update import check_compilers, lock_packages, mark_missing, open_indexes, published_packages
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.locks import Package, read_lock
from tools.roots.apt import Programs
from tools.roots.update import add_apt_arguments, programs

_DEB = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]+)_(?P<version>[^_]+)_(?P<arch>amd64|all)\.deb")
_RPM = re.compile(r"(?P<name>.+)-(?P<version>[^-]+-[^-]+)\.(?P<arch>x86_64|noarch)\.rpm")
_RELEASE = re.compile(r"\d+\.\d+[A-Za-z0-9._+~-]*")
_FLAVOUR = re.compile(r"\d-([a-z][a-z0-9-]*)$")


def package_of_url(url: str, sha256: str, size: int) -> Package:
    """The lock entry of a package by its file name, which says name, version and architecture."""
    file = unquote(urlsplit(url).path.rpartition("/")[2])
    match = _DEB.fullmatch(file) or _RPM.fullmatch(file)
    if not match:
        raise UserError(f"{url}: expected a file name like NAME_VERSION_amd64.deb, _all.deb or NAME-VERSION.x86_64.rpm")
    return Package("", match["name"], match["version"], match["arch"], sha256, size, url=url)


def check_packages(release: str, packages: Sequence[Package]) -> None:
    """Raise UserError unless one of the packages has this release's headers."""
    for package in packages:
        rpm_release = f"{package.version}.{package.arch}"
        if package.name == f"linux-headers-{release}" or (package.name.endswith("-devel") and rpm_release == release):
            return
    names = ", ".join(package.name for package in packages)
    raise UserError(
        f"{release}: none of the packages ({names}) has its headers; expected linux-headers-{release} (.deb), "
        f"or kernel-devel-{release}.rpm"
    )


def fetch(url: str, sha256: str) -> int:
    """The size in bytes of what is at the URL, once its SHA-256 is found right."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise UserError(f"{url}: expected an http or https URL")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise UserError(f"--sha256 {sha256}: expected 64 hexadecimal digits")
    digest, size = hashlib.sha256(), 0
    print(f"fetching {url}", file=sys.stderr, flush=True)
    try:
        with urllib.request.urlopen(url, timeout=60) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
                size += len(block)
            expected = int(stream.headers.get("Content-Length") or size)
    except urllib.error.HTTPError as error:
        raise UserError(f"{url}: cannot fetch: {error}; check the URL") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise UserError(f"{url}: cannot fetch: {reason}; check the URL and the network") from error
    if size != expected:
        raise UserError(f"{url}: the connection ended after {size} of {expected} bytes; run the command again")
    if digest.hexdigest() != sha256:
        raise UserError(f"{url}: its SHA-256 is {digest.hexdigest()}, expected {sha256}; nothing was added")
    return size


def root_compiler(roots: Path, root: str) -> str:
    """The compiler that `gcc` is in a root."""
    lock = roots / f"{root}.lock.json"
    if not lock.exists():
        known = sorted(path.name.removesuffix(".lock.json") for path in roots.glob("kbuild-*.lock.json"))
        raise UserError(f"--root {root}: no such root; there are: {', '.join(known)}")
    compiler = dict(read_lock(lock).links).get("usr/bin/gcc")
    if not compiler:
        raise UserError(f"--root {root}: it doesn't say what usr/bin/gcc is; give --compiler, or another root")
    return compiler


def from_urls(release: str, urls: Sequence[tuple[str, str]], root: str, compiler: str) -> tuple[Kernel, list[Package]]:
    """The catalogue's entry and the lock entries of a kernel given by (URL, SHA-256) pairs."""
    packages = [package_of_url(url, sha256, 0) for url, sha256 in urls]
    check_packages(release, packages)
    packages = [package_of_url(url, sha256, fetch(url, sha256)) for url, sha256 in urls]
    flavour = _FLAVOUR.search(release)
    kernel = Kernel(
        release=release,
        flavour=flavour[1] if flavour else "",
        suite="",
        compiler=compiler,
        root=root,
        headers=tuple(sorted(package_key(package) for package in packages)),
        origin="url",
    )
    return kernel, packages


def from_indexes(release: str, apt_programs: Programs) -> tuple[Kernel, list[Package]]:
    """The same of a kernel that the suites publish. Raises UserError with the nearest releases."""
    with tempfile.TemporaryDirectory(prefix="kernels-add.") as scratch:
        apt = open_indexes(scratch, apt_programs)
        kernels, left_out = find_kernels(published_packages(apt))
        for kernel in kernels:
            if kernel.release == release:
                locked = lock_packages(apt, [kernel])
                return mark_missing([kernel], locked)[0], list(locked.values())
    near = get_close_matches(release, [kernel.release for kernel in kernels], n=5, cutoff=0.5)
    reasons = "".join(f"\n{reason}" for reason in left_out if release in reason)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    raise UserError(f"kernel {release} is in none of the suites{hint}; from elsewhere: --url and --sha256{reasons}")


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="kernels:add", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("release", metavar="RELEASE", help="what `uname -r` prints on that kernel")
    parser.add_argument("--url", action="append", default=[], help="a header package, with its --sha256")
    parser.add_argument("--sha256", action="append", default=[], metavar="HEX", help="of the URL in the same place")
    parser.add_argument("--root", help="the root to build in, such as kbuild-bookworm; required with --url")
    parser.add_argument("--compiler", help="the kernel's compiler, such as gcc-12; the root's own without it")
    add_apt_arguments(parser)
    options = parser.parse_args(arguments)
    release: str = options.release
    if not _RELEASE.fullmatch(release):
        raise UserError(f"{release}: expected a kernel release such as 6.1.0-56-amd64")
    folder, roots = options.workspace / "kernels", options.workspace / "roots"
    kernels, locked = read_catalogue(folder)
    if options.url:
        if len(options.url) != len(options.sha256):
            raise UserError(f"{len(options.url)} --url but {len(options.sha256)} --sha256; give one for each, in order")
        if not options.root:
            raise UserError("--url needs --root: the root whose compiler built the kernel, such as kbuild-bookworm")
        own_compiler = root_compiler(roots, options.root) if not options.compiler else ""
        pairs = list(zip(options.url, options.sha256, strict=True))
        kernel, packages = from_urls(release, pairs, options.root, options.compiler or own_compiler)
    elif options.sha256 or options.root or options.compiler:
        raise UserError("--sha256, --root and --compiler go with --url; a kernel of the suites needs none of them")
    elif any(known.release == release and not known.origin for known in kernels):
        raise UserError(f"kernel {release} is in the catalogue; to make its packages anew: {REFRESH}")
    else:
        kernel, packages = from_indexes(release, programs(options))
    known_keys = {key for other in kernels if other.release != release for key in (*other.headers, *other.image)}
    for package in packages:
        before = locked.get(package_key(package))
        if before and before.sha256 != package.sha256 and package_key(package) in known_keys:
            raise UserError(
                f"{package_key(package)}: other kernels use a package of this name and version with other bytes "
                f"({before.sha256}); nothing was added"
            )
        locked[package_key(package)] = package
    write_catalogue(folder, [other for other in kernels if other.release != release] + [kernel], locked)
    for warning in check_compilers([kernel], roots):
        print(f"warning: {warning}", file=sys.stderr)
    if kernel.missing:
        print(f"warning: no mirror has {', '.join(kernel.missing)} any more", file=sys.stderr)
    print(f"added {release} ({kernel.compiler}, {kernel.root}); build it with: ./bazelw build //kernels:{release}")
    return 0


if __name__ == "__main__":
    run(main)
