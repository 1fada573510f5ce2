"""How many bytes a build read from and wrote to the server's CAS: Bazel's --remote_grpc_log.

Format: messages of type LogEntry (src/main/protobuf/remote_execution_log.proto of Bazel), each after
its length as a varint. Read here: details (4), of it read (5) with bytes_read (3),
or write (6) with bytes_sent (3).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.lib.errors import UserError

_DETAILS, _READ, _WRITE, _BYTES = 4, 5, 6, 3


@dataclass(frozen=True)
class Traffic:
    """Bytes of the blobs that were read, and of those that were written; `reads`: how many were read."""

    read: int
    written: int
    reads: int


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message: number, and the value of a varint or the bytes of anything else."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        if kind == 0:
            value, place = _varint(data, place)
            yield key >> 3, value
            continue
        if kind == 2:
            size, place = _varint(data, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise IndexError
        if place + size > len(data):
            raise IndexError
        yield key >> 3, data[place : place + size]
        place += size


def _message(data: memoryview, number: int) -> memoryview | None:
    return next((value for key, value in _fields(data) if key == number and isinstance(value, memoryview)), None)


def _number(data: memoryview, number: int) -> int:
    return next((value for key, value in _fields(data) if key == number and isinstance(value, int)), 0)


def traffic(path: Path) -> Traffic:
    """The sum over a log. Raises UserError when it isn't one."""
    data = memoryview(path.read_bytes())
    read = written = reads = place = 0
    try:
        while place < len(data):
            size, place = _varint(data, place)
            if place + size > len(data):
                raise IndexError
            details = _message(data[place : place + size], _DETAILS)
            place += size
            if details is None:
                continue
            if (call := _message(details, _READ)) is not None:
                read += _number(call, _BYTES)
                reads += 1
            elif (call := _message(details, _WRITE)) is not None:
                written += _number(call, _BYTES)
    except IndexError as error:
        raise UserError(f"{path}: not a log of --remote_grpc_log, or cut off") from error
    return Traffic(read, written, reads)
