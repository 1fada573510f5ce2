"""An image as one file: an OCI layout in a tar that `docker load` takes as well."""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, BinaryIO

from tools.containers.image import Blob, Image
from tools.containers.layout import blob_path, small_files
from tools.lib.errors import UserError


def save(image: Image, reference: str, path: Path) -> None:
    """Write the archive at `path`, whole or not at all. Raises UserError when it can't be written."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise UserError(f"{path}: cannot write: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            write(image, reference, stream)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        os.unlink(name)
        raise UserError(f"{path}: cannot write: {error.strerror}") from error
    except BaseException:
        os.unlink(name)
        raise


def write(image: Image, reference: str, stream: IO[bytes], without: Collection[str] = ()) -> None:
    """Write the archive; blobs whose digest is in `without` are named and not there. Raises UserError for a changed
    blob."""
    descriptor = {"mediaType": image.media_type, "digest": image.digest, "size": len(image.manifest)}
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in small_files(json.loads(image.manifest), descriptor, reference).items():
            _add(archive, name, content)
        _add(archive, blob_path(image.digest), image.manifest)
        for blob in {blob.digest: blob for blob in (image.config, *image.layers)}.values():
            if blob.digest in without:
                continue
            with blob.open() as source:
                checked = _Checked(source, blob)
                archive.addfile(_entry(blob_path(blob.digest), blob.size), checked)
                checked.check()


class _Checked:
    """Reads a blob and knows its digest at the end."""

    def __init__(self, stream: BinaryIO, blob: Blob) -> None:
        self._stream, self._blob, self._hash = stream, blob, hashlib.sha256()

    def read(self, count: int = -1) -> bytes:
        data = self._stream.read(count)
        self._hash.update(data)
        return data

    def check(self) -> None:
        if f"sha256:{self._hash.hexdigest()}" != self._blob.digest:
            raise UserError(f"a layer isn't what its digest {self._blob.digest} says; make the image again")


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_entry(name, len(content)), io.BytesIO(content))
