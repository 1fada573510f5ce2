"""Push an image: its layers side by side, then its manifest by digest, and its tags last."""

import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tools.containers.image import Blob, Image
from tools.containers.reference import check_tag
from tools.containers.registry import Registry
from tools.lib.errors import UserError

_AT_ONCE = 4
_EVERY = 2.0  # seconds between two lines of progress


@dataclass
class Sources:
    """Which repository of this registry has a blob, as far as this run knows: others take it from there."""

    known: dict[str, str] = field(default_factory=dict)


@dataclass
class Progress:
    """Lines on standard error: what is done with each blob, and how much has been sent meanwhile."""

    name: str
    total: int
    sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next: float = field(default_factory=lambda: time.monotonic() + _EVERY)

    def add(self, count: int) -> None:
        """Bytes were sent."""
        with self._lock:
            self.sent += count
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + _EVERY
                self._print(f"{megabytes(self.sent)} sent, of at most {megabytes(self.total)}")

    def done(self, blob: Blob, how: str) -> None:
        """A blob is there."""
        with self._lock:
            self._print(f"{blob.digest[:19]} {megabytes(blob.size)} {how}")

    def _print(self, text: str) -> None:
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)


def megabytes(count: int) -> str:
    """A size for people."""
    return f"{count / 1e6:.1f} MB"


def push(registry: Registry, name: str, image: Image, tags: Sequence[str], sources: Sources | None = None) -> int:
    """Push an image as NAME below the registry's namespace, under the tags; the bytes of layers and configuration sent.

    A tag leads to the image when everything of it is there and has been verified, or to what it led to before.
    Raises UserError when the registry doesn't take it.
    """
    for tag in tags:
        check_tag(tag)
    sources = sources or Sources()
    repository = registry.address.repository(name)
    blobs = list({blob.digest: blob for blob in (*image.layers, image.config)}.values())
    progress = Progress(repository, sum(blob.size for blob in blobs))
    if registry.manifest_digest(repository, image.digest) != image.digest:
        _send_all(registry, repository, blobs, sources, progress)
        for blob in blobs:
            if not registry.has_blob(repository, blob):
                raise UserError(f"{registry.address.base}: took {blob.digest} and doesn't have it; push again")
        registry.put_manifest(repository, image.digest, image.manifest, image.media_type)
    for tag in tags:
        if registry.manifest_digest(repository, tag) != image.digest:
            registry.put_manifest(repository, tag, image.manifest, image.media_type)
    sources.known |= {blob.digest: repository for blob in blobs}
    return progress.sent


def _send_all(registry: Registry, repository: str, blobs: Sequence[Blob], sources: Sources, progress: Progress) -> None:
    """Send what isn't there; the first failure ends the others when their chunk is through."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting = [pool.submit(_send, registry, repository, blob, sources, progress) for blob in blobs]
        try:
            for one in waiting:
                one.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _send(registry: Registry, repository: str, blob: Blob, sources: Sources, progress: Progress) -> None:
    if registry.has_blob(repository, blob):
        progress.done(blob, "is there")
        return
    location = registry.mount(repository, blob, sources.known.get(blob.digest, ""))
    if not location:
        progress.done(blob, f"taken from {sources.known[blob.digest]}")
        return
    registry.upload(repository, blob, location, progress.add)
    progress.done(blob, "sent")
