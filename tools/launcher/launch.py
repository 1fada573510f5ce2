"""`bazelw`: run Bazel of the version in .bazelversion, whatever the machine has.

In this order: $BAZEL; a matching `bazel` or `bazelisk` on PATH; else Bazel from the locked
root (roots/bazel.lock.json), unpacked once into the user's cache and entered with bubblewrap.
The arguments, the working directory, the environment, signals and the exit code pass through.

A start with everything in place imports next to nothing and probes nothing: modules of the
slow path are imported where they are needed.
"""

from __future__ import annotations

import os
import sys

from tools.launcher import enter, probe
from tools.lib.errors import UserError

LOCK = "roots/bazel.lock.json"


def launch(checkout: str, arguments: list[str]) -> int:
    """Run Bazel with the arguments; the exit code, when Bazel did not take this process's place."""
    try:
        return _launch(checkout, arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def cache_folder() -> str:
    """Where the launcher keeps its things; the XDG base directory specification's rule."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(base):
        raise UserError("HOME is not set, so there is no cache folder; set HOME or XDG_CACHE_HOME")
    return os.path.join(base, "contrail-forge", "bazel")


def _launch(checkout: str, arguments: list[str]) -> int:
    if os.environ.get(probe.PROBING):
        raise UserError(
            "a bazel on PATH leads back to bazelw; take it off PATH, or set BAZEL to a real Bazel"
        )
    try:
        with open(os.path.join(checkout, ".bazelversion"), encoding="ascii") as stream:
            wanted = stream.readline().strip()
    except OSError as error:
        raise UserError(
            f"{error.filename}: {error.strerror}; restore it: git checkout -- .bazelversion"
        ) from error
    cache = cache_folder()
    bazel = probe.find_bazel(checkout, wanted, cache)
    if bazel:
        enter.replace(bazel, [bazel, *arguments])
    enter.check_place(os.getcwd(), "the working directory")
    enter.check_place(checkout, "the checkout")
    enter.check_place(cache, "the cache")
    root = _root(checkout, cache)
    if not enter.find("bwrap"):
        from tools.launcher import host

        host.check()
    line = enter.arguments(enter.find("bwrap"), root, _certificates(root, cache))
    code = enter.run(line, ["/usr/bin/bazel", *arguments])
    if code is None:
        from tools.launcher import host

        raise host.why_not_entered()
    return code


def _root(checkout: str, cache: str) -> str:
    """The unpacked root for this checkout's lock, made now if this is the first start."""
    from hashlib import sha256

    lock = os.path.join(checkout, LOCK)
    try:
        with open(lock, "rb") as stream:
            digest = sha256(stream.read()).hexdigest()
    except OSError as error:
        raise UserError(f"{lock}: {error.strerror}; restore it: git checkout -- {LOCK}") from error
    root = os.path.join(cache, digest[:16])
    if not os.path.isdir(root):
        from tools.launcher import host, install

        host.check()
        install.install(lock, root)
    return root


def _certificates(root: str, cache: str) -> tuple[str, str]:
    """The bundle that the machine trusts, and the same as a Java key store made from it once."""
    bundle = next((path for path in BUNDLES if os.path.isfile(path)), f"{root}{enter.BUNDLE}")
    status = os.stat(bundle)
    store = os.path.join(cache, "certificates", f"{status.st_mtime_ns:x}-{status.st_size:x}.jks")
    if not os.path.isfile(store):
        from tools.launcher import certificates

        certificates.make_store(bundle, store)
    return bundle, store


# Where the distributions keep the bundle of trusted certificates: Debian, Arch and Alpine; Fedora; SUSE.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
