"""Write a layer: the same bytes from the same entries, digest and diff ID in the same pass.

A layer is a compressed tar (OCI image specification, "Image Layer Filesystem Changeset"). Names are sorted, owners
are numbers, every time is `tools.roots.clock.SOURCE_DATE_EPOCH`, and the compressor's parameters are fixed: gzip is
zlib's level 6 without name and time (RFC 1952), zstd its level 3 by one thread.

A layer is several gzip members (RFC 1952, 2.2) or zstd frames (RFC 8878, 3), one after the other: the folders, each
once, because docker refuses a tar that has a path twice; each part's files; and the tar's end. So a part has a size.
"""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, Any, Protocol

from tools.containers.contents import CHARACTER, DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK, Contents, Entry
from tools.lib.errors import UserError
from tools.roots.clock import SOURCE_DATE_EPOCH

MEDIA_TYPES = {
    "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}
_GZIP_LEVEL = 6
_GZIP_WINDOW = 31  # zlib's way to say: 32 KiB of window, with gzip's header and checksum
_CHUNK = 1 << 20
# How a tar ends (tar(5)).
END = bytes(2 * tarfile.BLOCKSIZE)
_TYPES = {
    FILE: tarfile.REGTYPE,
    DIRECTORY: tarfile.DIRTYPE,
    SYMLINK: tarfile.SYMTYPE,
    HARDLINK: tarfile.LNKTYPE,
    CHARACTER: tarfile.CHRTYPE,
    FIFO: tarfile.FIFOTYPE,
}

# A file's bytes, or where they are.
Source = bytes | Path


@dataclass(frozen=True)
class Metadata:
    """A layer's descriptor, and what a configuration and reports need besides. Sizes are in bytes.

    `parts` are the layer's if there are several: entries {"name", "size", "uncompressed"}, whose sums are its own.
    """

    name: str
    mediaType: str
    digest: str
    size: int
    diff_id: str
    uncompressed: int
    parts: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> str:
        """The metadata file's text."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


class _Compressor(Protocol):
    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Counter:
    """Keeps digest and size of what goes through, to `stream` if there is one."""

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        if self._stream:
            self._stream.write(data)
        self._hash.update(data)
        self.size += len(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


class _Gzip:
    def __init__(self, sink: Counter) -> None:
        self._sink = sink
        self._compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)

    def write(self, data: bytes) -> None:
        self._sink.write(self._compressor.compress(data))

    def close(self) -> None:
        self._sink.write(self._compressor.flush())


class _Zstd:
    def __init__(self, sink: Counter, program: Path) -> None:
        words = [str(program), "-q", "-3", "--single-thread", "--no-check", "-c"]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin and self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        self._reader = threading.Thread(target=self._drain, args=(sink,))
        self._reader.start()

    def _drain(self, sink: Counter) -> None:
        while data := self._output.read(_CHUNK):
            sink.write(data)

    def write(self, data: bytes) -> None:
        self._input.write(data)

    def close(self) -> None:
        self._input.close()
        self._reader.join()
        self._output.close()
        if self._process.wait():
            raise UserError(f"zstd ended with exit code {self._process.returncode}; its message is above")


def _compressor(sink: Counter, compression: str, zstd: Path) -> _Compressor:
    return _Zstd(sink, zstd) if compression == "zstd" else _Gzip(sink)


def compressed(data: bytes, compression: str, zstd: Path) -> bytes:
    """A gzip member or zstd frame of the bytes."""
    buffer = io.BytesIO()
    compressor = _compressor(Counter(buffer), compression, zstd)
    compressor.write(data)
    compressor.close()
    return buffer.getvalue()


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    else:
        with source.open("rb") as stream:
            yield stream


def measured(entry: Entry, source: Source) -> Entry:
    """A file's entry with the size and digest of its bytes."""
    if isinstance(source, bytes):
        return replace(entry, size=len(source), sha256=hashlib.sha256(source).hexdigest())
    with source.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return replace(entry, size=stream.tell(), sha256=digest.hexdigest())


def plain_tar(blob: Path, zstd: Path) -> bytes:
    """A layer's tar, without compression; the suffix of the blob says which it has."""
    if blob.suffix == ".zst":
        return subprocess.run([zstd, "-dcq", blob], stdout=subprocess.PIPE, check=True).stdout
    return gzip.decompress(blob.read_bytes())


def _header(entry: Entry) -> bytes:
    member = tarfile.TarInfo(entry.path)
    member.type, member.mode, member.mtime = _TYPES[entry.type], entry.mode, SOURCE_DATE_EPOCH
    member.uid, member.gid, member.linkname = entry.uid, entry.gid, entry.target
    member.devmajor, member.devminor = entry.device
    member.size = entry.size if entry.type == FILE else 0
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _content(entry: Entry, source: Source) -> Iterator[bytes]:
    """A file's bytes, and zeros up to the next block of the tar."""
    size = 0
    with _opened(source) as stream:
        while data := stream.read(_CHUNK):
            size += len(data)
            yield data
    if size != entry.size:
        raise UserError(f"/{entry.path} has {size} bytes, and had {entry.size} when it was measured; build it again")
    yield bytes(-size % tarfile.BLOCKSIZE)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """The entries sorted by path: folders, then files and their like, then hard links, which name files."""
    return sorted(entries, key=lambda entry: (entry.type != DIRECTORY, entry.type == HARDLINK, entry.path))


def folders(entries: Iterable[Entry]) -> bytes:
    """How a layer's tar begins: the folders among its entries, each once."""
    by_path = {entry.path: entry for entry in entries if entry.type == DIRECTORY}
    return b"".join(_header(entry) for entry in in_order(by_path.values()))


@dataclass(frozen=True)
class Part:
    """What a layer has under a name, such as a package's; `sources` has the bytes of each file by its path."""

    name: str
    entries: Sequence[Entry]
    sources: Mapping[str, Source]


def _check(name: str, parts: Sequence[Part]) -> None:
    """Raise UserError for a path that comes twice; folders may be in several parts."""
    seen: dict[str, str] = {}
    for part in parts:
        for entry in part.entries:
            owner = seen.get(entry.path)
            if owner == part.name:
                raise UserError(f"{name}: /{entry.path} comes twice in the layer; keep one")
            if owner and entry.type != DIRECTORY:
                raise UserError(f"{name}: /{entry.path} is in {owner} and {part.name}; keep one")
            seen[entry.path] = part.name


def write_layer(
    name: str, parts: Sequence[Part], blob: Path, compression: str = "gzip", zstd: Path = Path("zstd")
) -> Metadata:
    """Write the layer's blob. The metadata say how large each of several parts is; folders count as the first one's.

    `zstd` is the program, for that compression. Raises UserError for an unknown compression, or a path that comes
    twice; then there is no blob.
    """
    if compression not in MEDIA_TYPES:
        raise UserError(f"{name}: unknown compression '{compression}'; choose one of: {', '.join(MEDIA_TYPES)}")
    _check(name, parts)
    sizes = []
    with blob.open("wb") as stream:
        sink, plain = Counter(stream), Counter()
        counted = (0, 0)
        head = folders(entry for part in parts for entry in part.entries)
        plain.write(head)
        sink.write(compressed(head, compression, zstd))
        for part in parts:
            compressor = _compressor(sink, compression, zstd)
            for entry in in_order(part.entries):
                if entry.type == DIRECTORY:
                    continue
                content = _content(entry, part.sources[entry.path]) if entry.type == FILE else ()
                for data in chain([_header(entry)], content):
                    plain.write(data)
                    compressor.write(data)
            compressor.close()
            if part is parts[-1]:
                plain.write(END)
                sink.write(compressed(END, compression, zstd))
            size, uncompressed = sink.size - counted[0], plain.size - counted[1]
            sizes.append({"name": part.name, "size": size, "uncompressed": uncompressed})
            counted = (sink.size, plain.size)
    given = sizes if len(parts) > 1 else ()
    return Metadata(name, MEDIA_TYPES[compression], sink.digest, sink.size, plain.digest, plain.size, given)


@dataclass(frozen=True)
class Outputs:
    """Where a layer's three files go."""

    blob: Path
    metadata: Path
    contents: Path


def write_outputs(
    name: str,
    parts: Sequence[Part],
    outputs: Outputs,
    compression: str,
    zstd: Path,
    overrides: Iterable[str] = (),
) -> None:
    """Write blob, metadata and contents. Raises what `write_layer` raises."""
    metadata = write_layer(name, parts, outputs.blob, compression, zstd)
    outputs.metadata.write_text(metadata.to_json())
    patterns = tuple(sorted(overrides))
    texts = [Contents(part.name, in_order(part.entries), patterns).to_json() for part in parts]
    outputs.contents.write_text(texts[0] if len(texts) == 1 else f"[{','.join(texts)}]\n")
