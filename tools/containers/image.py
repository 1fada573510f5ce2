"""Images as files: an OCI layout or its archive, a `docker load` archive, or the outputs of container_image.

Formats: OCI image specification 1.1 (image-layout.md, manifest.md); docker image specification 1.2 (manifest.json).
"""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tools.lib.errors import UserError

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
MANIFEST_TYPES = (MANIFEST_TYPE, "application/vnd.docker.distribution.manifest.v2+json")
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_LARGEST_JSON = 4 << 20  # bytes; registries take no larger manifest


@dataclass(frozen=True)
class Blob:
    """A blob and how to read it."""

    digest: str  # sha256:HEX
    size: int
    media_type: str
    open: Callable[[], BinaryIO] = field(repr=False)


@dataclass(frozen=True)
class Image:
    """An image: the manifest's bytes, the configuration, the layers, lowest first, and their diff ids."""

    manifest: bytes = field(repr=False)
    media_type: str
    config: Blob
    layers: tuple[Blob, ...]
    diff_ids: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The manifest's digest, by which the image is deployed."""
        return sha256(self.manifest)


def sha256(content: bytes) -> str:
    """The digest of these bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class _Section(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        self._stream = path.open("rb")
        self._start, self._size, self._position = start, size, 0
        self.name = str(path)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        self._stream.seek(self._start + self._position)
        count = max(0, min(len(buffer), self._size - self._position))
        data = self._stream.read(count)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


class Files:
    """Named files: those of a folder, or the members of a tar. `close` removes what was unpacked."""

    def __init__(self, path: Path) -> None:
        """Raises UserError when it is neither."""
        self.path = path
        self._scratch: Any = None
        self._members: dict[str, tuple[int, int]] = {}
        if path.is_dir():
            return
        try:
            self._tar = path
            with path.open("rb") as stream:
                packed = stream.read(2) == b"\x1f\x8b"
            if packed:
                self._scratch = tempfile.NamedTemporaryFile(prefix="image.")  # noqa: SIM115 (`close` does)
                with gzip.open(path) as source:
                    shutil.copyfileobj(source, self._scratch, 1 << 20)
                self._scratch.flush()
                self._tar = Path(self._scratch.name)
            with tarfile.open(self._tar, "r:") as archive:
                for member in archive:
                    if member.isfile():
                        self._members[member.name.removeprefix("./")] = (member.offset_data, member.size)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
            self.close()
            raise UserError(f"{path}: isn't an image archive: {error}; expected an OCI or a docker archive") from error
        except OSError as error:
            self.close()
            raise UserError(f"{path}: cannot read: {error.strerror}") from error

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._scratch:
            self._scratch.close()

    def size(self, name: str) -> int | None:
        """The size of a file, or None when there is none of that name."""
        if self._members or not self.path.is_dir():
            return self._members[name][1] if name in self._members else None
        file = self.path / name
        return file.stat().st_size if file.is_file() else None

    def open(self, name: str) -> BinaryIO:
        """A file's bytes."""
        if self.path.is_dir():
            return (self.path / name).open("rb")
        start, size = self._members[name]
        return io.BufferedReader(_Section(self._tar, start, size))

    def opener(self, name: str) -> Callable[[], BinaryIO]:
        """What opens a file."""
        return lambda: self.open(name)

    def json(self, name: str) -> Any:
        """A small JSON file. Raises UserError when it is missing or isn't one."""
        size = self.size(name)
        if size is None:
            raise UserError(f"{self.path}: isn't a whole image: it has no {name}")
        if size > _LARGEST_JSON:
            raise UserError(f"{self.path}: isn't an image: {name} has {size} bytes")
        with self.open(name) as stream:
            return parse(stream.read(), f"{self.path}: {name}")


def parse(text: bytes, name: str) -> Any:
    """JSON. Raises UserError naming what has it."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"{name}: isn't JSON: {error}") from error


def read_archive(files: Files) -> Image:
    """The one image of an archive or a layout; its small files are verified, its layers when they are sent.

    Raises UserError when there is none, or several.
    """
    try:
        if files.size("oci-layout") is not None:
            return _read_layout(files)
        if files.size("manifest.json") is not None:
            return _read_docker(files)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise UserError(f"{files.path}: isn't a whole image: {error!r} is missing or of another kind") from error
    raise UserError(
        f"{files.path}: isn't an image archive: it has neither oci-layout nor manifest.json; "
        "expected what container_image, `docker save` or `skopeo copy` write"
    )


def read_files(manifest: Path, config: Path, layers: Sequence[Path]) -> Image:
    """The image of container_image's outputs. `layers` are in the manifest's order."""
    text = manifest.read_bytes()
    content = parse(text, str(manifest))
    pairs = zip(content["layers"], layers, strict=True)
    blobs = [_blob(entry, path.stat().st_size, _opener(path), path) for entry, path in pairs]
    found = _blob(content["config"], config.stat().st_size, _opener(config), config)
    return Image(text, content.get("mediaType", MANIFEST_TYPE), found, tuple(blobs), _diff_ids(found))


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _blob(entry: dict[str, Any], size: int, opener: Callable[[], BinaryIO], path: Path) -> Blob:
    if size != entry["size"]:
        raise UserError(f"{path}: {entry['digest']} has {size} bytes, where the manifest says {entry['size']}")
    return Blob(entry["digest"], size, entry["mediaType"], opener)


def _diff_ids(config: Blob) -> tuple[str, ...]:
    with config.open() as stream:
        text = stream.read()
    if sha256(text) != config.digest:
        raise UserError(f"the image's configuration isn't what its digest {config.digest} says; make the image again")
    return tuple(parse(text, "the image's configuration")["rootfs"]["diff_ids"])


def _read_layout(files: Files) -> Image:
    entry = _only(files.json("index.json")["manifests"], files.path)
    while entry["mediaType"] in INDEX_TYPES:
        entry = _only(files.json(_place(entry))["manifests"], files.path)
    content = files.json(_place(entry))
    with files.open(_place(entry)) as stream:
        text = stream.read()
    if sha256(text) != entry["digest"]:
        raise UserError(f"{files.path}: the manifest isn't what its digest {entry['digest']} says")
    blobs = []
    for found in [content["config"], *content["layers"]]:
        size = files.size(_place(found))
        if size is None:
            raise UserError(f"{files.path}: isn't a whole image: it lacks the blob {found['digest']}")
        blobs.append(_blob(found, size, files.opener(_place(found)), files.path))
    return Image(text, entry["mediaType"], blobs[0], tuple(blobs[1:]), _diff_ids(blobs[0]))


def _place(entry: dict[str, Any]) -> str:
    digest: str = entry["digest"]
    return "blobs/" + digest.replace(":", "/")


def _only(entries: list[Any], path: Path) -> Any:
    if len(entries) != 1:
        raise UserError(f"{path}: has {len(entries)} images; expected one")
    return entries[0]


def _read_docker(files: Files) -> Image:
    entry = _only(files.json("manifest.json"), files.path)
    blobs = []
    for name in [entry["Config"], *entry["Layers"]]:
        size = files.size(name)
        if size is None:
            raise UserError(f"{files.path}: isn't a whole image: it has no {name}")
        with files.open(name) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
            stream.seek(0)
            suffix = {b"\x1f\x8b": "+gzip", b"\x28\xb5": "+zstd"}.get(stream.read(2), "")
        blobs.append(Blob(f"sha256:{digest}", size, LAYER_TYPE + suffix, files.opener(name)))
    config = Blob(blobs[0].digest, blobs[0].size, CONFIG_TYPE, blobs[0].open)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(config),
        "layers": [_descriptor(blob) for blob in blobs[1:]],
    }
    return Image(json.dumps(manifest).encode(), MANIFEST_TYPE, config, tuple(blobs[1:]), _diff_ids(config))


def _descriptor(blob: Blob) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}
