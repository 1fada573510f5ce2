"""Downloading one file from a list of places: resumed, verified, the next place on failure.

The content is known by size and SHA-256, so a mirror is never trusted, only tried.
"""

from __future__ import annotations

import hashlib
import http.client
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from tools.lib.errors import UserError
from tools.lib.locks import Package
from tools.roots.mirrors import VARIABLE, Mirrors

TIME_LIMIT = 30.0  # seconds without a byte
TRIES = 3  # per mirror; each goes on where the one before stopped
_CHUNK = 1 << 18
_GONE = (403, 404, 410)


class Stopped(Exception):
    """The download was called off; the part that came stays for the next start."""


class FileError(Exception):
    """A failure of the disk, not of the network: the OSError is its argument."""


class Progress:
    """One line on a terminal, a plain line every few seconds elsewhere; used by several threads."""

    def __init__(self, total_bytes: int, total_packages: int, stream: TextIO = sys.stderr) -> None:
        self._total = (total_bytes, total_packages)
        self._bytes = 0
        self._packages = 0
        self._stream = stream
        self._terminal = stream.isatty()
        self._interval = 0.1 if self._terminal else 5.0
        self._next = 0.0
        self._guard = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes that came; negative when they were thrown away."""
        with self._guard:
            self._bytes += count
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + self._interval
                self._show("\r" if self._terminal else "\n")

    def add_package(self) -> None:
        """Count a package that is complete."""
        with self._guard:
            self._packages += 1

    def warn(self, text: str) -> None:
        """A line of its own, above the progress line."""
        with self._guard:
            print(f"\r\033[K{text}" if self._terminal else text, file=self._stream, flush=True)

    def finish(self) -> None:
        """Show where it ended and go to the next line."""
        with self._guard:
            self._show("\n")

    def text(self) -> str:
        """Bytes, packages, per cent."""
        total, packages = self._total
        percent = 100 * self._bytes // total if total else 100
        return (
            f"bazelw: {self._bytes / 1e6:.0f} of {total / 1e6:.0f} MB, "
            f"{self._packages} of {packages} packages, {percent}%"
        )

    def _show(self, end: str) -> None:
        start = "\r\033[K" if self._terminal else ""
        print(f"{start}{self.text()}", end="" if end == "\r" else end, file=self._stream, flush=True)


class Fetcher:
    """Fetches packages of a lock into a folder as SHA256.deb; parts are SHA256.part."""

    def __init__(self, mirrors: Mirrors, folder: Path, progress: Progress) -> None:
        self._mirrors = mirrors
        self._folder = folder
        self._progress = progress
        self._unreachable: set[str] = set()
        self.stopped = threading.Event()

    def fetch(self, package: Package) -> Path:
        """The verified file. Raises UserError when no mirror has it, Stopped when called off."""
        target = self._folder / f"{package.sha256}.deb"
        if target.exists():
            self._progress.add(package.size)
            return target
        part = target.with_suffix(".part")
        if part.exists():
            self._progress.add(part.stat().st_size)
        reasons: list[str] = []
        for url in self._ordered(package):
            reason = self._from_mirror(url, package, part)
            if not reason:
                part.replace(target)
                return target
            reasons.append(reason)
        raise UserError(failure_text(package, reasons))

    def _ordered(self, package: Package) -> list[str]:
        """The URLs of a package, those of hosts that did not answer last."""
        if package.url:
            return [package.url]
        urls = self._mirrors.urls(package.archive, package.path)
        return sorted(urls, key=lambda url: urlsplit(url).netloc in self._unreachable)

    def _from_mirror(self, url: str, package: Package, part: Path) -> str:
        """Complete the part from this URL; the reason when that failed, else ""."""
        reason = ""
        host = urlsplit(url).netloc
        for _ in range(TRIES):
            resumed = part.exists()
            try:
                self._transfer(url, part, package.size)
                reason = self._check(package, part)
                if not reason:
                    return ""
                if not resumed:  # else the part of an earlier run may have been at fault
                    break
            except urllib.error.HTTPError as error:
                reason = f"HTTP {error.code}"
                if error.code == 416:
                    self._throw_away(part)
                elif error.code in _GONE:
                    break
            except (OSError, http.client.HTTPException) as error:
                reason = str(getattr(error, "reason", error)) or type(error).__name__
                if host in self._unreachable:
                    break
            if self.stopped.wait(0.5):
                raise Stopped
        else:
            if host not in self._unreachable:
                self._unreachable.add(host)
                self._progress.warn(f"bazelw: {host}: {reason}; other mirrors come first from now on")
        return f"{host}: {reason}"

    def _transfer(self, url: str, part: Path, size: int) -> None:
        """Append to the part what is missing of it; the server may insist on the whole."""
        start = part.stat().st_size if part.exists() else 0
        if start >= size:
            return
        request = urllib.request.Request(url)
        if start:
            request.add_header("Range", f"bytes={start}-")
        with urllib.request.urlopen(request, timeout=TIME_LIMIT) as answer:
            if start and answer.status != 206:
                self._throw_away(part)
            while True:
                if self.stopped.is_set():
                    raise Stopped
                data = answer.read(_CHUNK)
                if not data:
                    return
                self._append(part, data)

    def _append(self, part: Path, data: bytes) -> None:
        try:
            with part.open("ab") as stream:
                stream.write(data)
        except OSError as error:
            raise FileError(error) from error
        self._progress.add(len(data))

    def _check(self, package: Package, part: Path) -> str:
        """The reason why this is not the wanted file, and then it is thrown away; "" when it is."""
        size = part.stat().st_size
        if size < package.size:
            raise http.client.IncompleteRead(b"", package.size - size)
        digest = hashlib.sha256()
        with part.open("rb") as stream:
            for data in iter(lambda: stream.read(_CHUNK), b""):
                digest.update(data)
        if size == package.size and digest.hexdigest() == package.sha256:
            return ""
        self._throw_away(part)
        return f"other content than the lock's (SHA-256 {digest.hexdigest()[:16]}..., {size} bytes)"

    def _throw_away(self, part: Path) -> None:
        if part.exists():
            self._progress.add(-part.stat().st_size)
            part.unlink()


def failure_text(package: Package, reasons: list[str]) -> str:
    """What to tell when no mirror gave a package: why, and what helps."""
    if reasons and all(reason.rsplit(" ", 1)[-1] in ("404", "410") for reason in reasons):
        why = f"no mirror has it any more (404): {package.path or package.url}"
        mend = "a newer lock may name a newer one: git pull"
    else:
        why = "; ".join(reasons)
        mend = "run the same command again to go on where it stopped"
    return f'{package.name} {package.version}: {why}; {mend}, or name another mirror: {VARIABLE}="http://HOST/debian"'
