"""Making the root of the locked Bazel: once for a lock, whole or not at all.

Everything happens in ROOT.partial beside it, which becomes ROOT in one step at the end:

    ROOT.partial/debs/SHA256.part    being downloaded; the next start goes on with it
    ROOT.partial/debs/SHA256.deb     complete and verified, to be unpacked
    ROOT.partial/debs/SHA256.done    unpacked (empty)
    ROOT.partial/tree/               what becomes ROOT
    ROOT.lock                        held by whoever works on it; the system drops it when that one dies
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.launcher import enter, unpack
from tools.launcher.fetch import Fetcher, FileError, Progress, Stopped
from tools.lib.errors import UserError
from tools.lib.locks import Lock, Package, read_lock
from tools.roots.mirrors import find_mirrors

AT_ONCE = 4
_FULL = (errno.ENOSPC, errno.EDQUOT)

# In place of Debian's own, which turns on --sandbox_debug and so keeps every sandbox. Naming the
# Java is what lets a runtime serve: without, Bazel looks for a JDK, which is four times its size.
# The property's only use is that Bazel restarts a server that runs in the root of another lock.
_BAZELRC = f"""\
startup --install_base=/usr/share/bazel
startup --trust_install_base
startup --server_javabase={enter.JAVA_HOME}
startup --host_jvm_args=-Dcontrail_forge.root={{root}}
try-import /etc/bazel.bazelrc
"""
NEEDED = ("/usr/bin/bazel", "/usr/bin/bash", "/usr/bin/env", "/usr/bin/sh", f"{enter.JAVA_HOME}/bin/java")
_NSSWITCH = "passwd: files\ngroup: files\nhosts: files dns\n"


def install(lock_file: str, root: str) -> None:
    """Make `root` from the lock. Raises UserError; what was downloaded stays for the next start."""
    target = Path(root)
    partial = target.with_name(f"{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.with_name(f"{target.name}.lock")):
            if target.is_dir():
                return
            _make(read_lock(Path(lock_file)), partial)
            (partial / "tree").rename(target)
            shutil.rmtree(partial)
    except OSError as error:
        if error.errno not in _FULL:
            raise UserError(f"{error.filename or partial}: {error.strerror}") from error
        shutil.rmtree(partial, ignore_errors=True)
        raise UserError(
            f"{target.parent}: no space left for Bazel's root, which needs about 1.5 GB while it is made; "
            "nothing was kept: make room, or set XDG_CACHE_HOME to a folder on another disk"
        ) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock file; wait for who holds it, and say so."""
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("bazelw: waiting for another bazelw to finish unpacking", file=sys.stderr, flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _make(lock: Lock, partial: Path) -> None:
    """Bring ROOT.partial/tree to completion, from wherever an earlier start left it."""
    packages = [package for package in lock.packages if not package.layer]
    debs = partial / "debs"
    tree = partial / "tree"
    debs.mkdir(parents=True, exist_ok=True)
    tree.mkdir(exist_ok=True)
    print(f"bazelw: fetching the locked Bazel into {partial.parent} (once)", file=sys.stderr, flush=True)
    progress = Progress(sum(package.size for package in packages), len(packages))
    fetcher = Fetcher(find_mirrors(), debs, progress)
    _Workers(packages, lock.exclude, debs, tree, fetcher, progress).run()
    progress.finish()
    finish_tree(tree, lock)


class _Workers:
    """Several threads that each fetch and unpack one package after the other, the biggest first."""

    def __init__(
        self,
        packages: list[Package],
        exclude: tuple[str, ...],
        debs: Path,
        tree: Path,
        fetcher: Fetcher,
        progress: Progress,
    ) -> None:
        self._queue = sorted(packages, key=lambda package: package.size)
        self._exclude = exclude
        self._debs = debs
        self._tree = tree
        self._fetcher = fetcher
        self._progress = progress
        self._failures: list[Exception] = []

    def run(self) -> None:
        """Do all packages; raises the first failure after the others have stopped."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException:
            self._fetcher.stopped.set()
            raise
        if self._failures:
            self._progress.finish()
            raise self._failures[0]

    def _work(self) -> None:
        try:
            while not self._fetcher.stopped.is_set():
                try:
                    package = self._queue.pop()
                except IndexError:
                    return
                self._do(package)
        except Stopped:
            return
        except FileError as error:
            self._fail(error.args[0])
        except Exception as error:  # for run() to raise in the main thread
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._failures.append(error)
        self._fetcher.stopped.set()

    def _do(self, package: Package) -> None:
        done = self._debs / f"{package.sha256}.done"
        if done.exists():
            self._progress.add(package.size)
        else:
            deb = self._fetcher.fetch(package)
            unpack.unpack(deb, self._tree, self._exclude)
            done.touch()
            deb.unlink()
        self._progress.add_package()


def finish_tree(tree: Path, lock: Lock) -> None:
    """What maintainer scripts would have done, and the links to what belongs to the machine."""
    for path, text in lock.links.items():
        unpack.link(tree, path, text)
    for name in enter.HOST_ETC:
        unpack.link(tree, f"etc/{name}", f"{enter.HOST_ETC_PLACE}/{name}")
    authorities = sorted((tree / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = b"".join(file.read_bytes().rstrip() + b"\n" for file in authorities)
    # bubblewrap binds the machine's certificates over these two, so both must be there.
    root = hashlib.sha256(lock.to_json().encode()).hexdigest()[:16]
    files = {
        enter.BUNDLE: bundle,
        enter.TRUST_STORE: b"",
        "/etc/bazel/bazelrc": _BAZELRC.format(root=root).encode(),
        "/etc/nsswitch.conf": _NSSWITCH.encode(),
    }
    for name, content in files.items():
        file = tree / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_symlink():
            file.unlink()
        file.write_bytes(content)
    _make_locale(tree)
    _place_tls(tree)
    for name in NEEDED:
        if not os.access(tree / name.lstrip("/"), os.X_OK):
            raise UserError(f"roots/bazel.lock.json: no package of it has {name}; restore the file from git")


def _place_tls(tree: Path) -> None:
    """Put netty's TLS, by which Bazel speaks grpcs://, where it is looked for.

    Bazel's Java looks in this folder alone. The library refuses any name without netty_tcnative in it, and
    Java follows links before it says the name, so it is a file of its own.
    """
    library = tree / "usr/lib/x86_64-linux-gnu/jni/libnetty-tcnative.so"
    place = tree / "usr/share/bazel/libnetty_tcnative.so"
    if library.exists() and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(library, place)


def _make_locale(tree: Path) -> None:
    """The Latin-1 locale in which Bazel's server keeps file names, whatever bytes they have.

    Its package has only the sources of locales: localedef(1) makes one, in the root.
    """
    if not (tree / "usr/bin/localedef").exists():
        return
    (tree / "usr/lib/locale").mkdir(exist_ok=True)
    line = [enter.find("bwrap"), "--ro-bind", f"{tree}/usr", "/usr", "--dev", "/dev"]
    for name in ("bin", "lib", "lib64"):
        line += ["--symlink", f"usr/{name}", f"/{name}"]
    line += ["--bind", f"{tree}/usr/lib/locale", "/usr/lib/locale", "--", "/usr/bin/localedef"]
    line += ["--no-archive", "-i", "en_US", "-f", "ISO-8859-1", "/usr/lib/locale/en_US.iso88591"]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"roots/bazel.lock.json: its localedef fails: {done.stderr.strip()}; restore the file from git")
