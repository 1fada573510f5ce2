"""Bytes read and written, from messages of the log's form."""

from pathlib import Path

import pytest

from bench.model.grpc_log import Traffic, traffic
from tools.lib.errors import UserError


def varint(value: int) -> bytes:
    """A number as protobuf has it."""
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def message(number: int, content: bytes) -> bytes:
    """A field that is a message or a string."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def entry(kind: int, size: int) -> bytes:
    """A LogEntry of a read (5) or a write (6), with a name, a count and a status before."""
    call = message(1, b"name") + varint(2 << 3) + varint(7) + varint(3 << 3) + varint(size)
    content = message(2, b"") + message(3, b"google.bytestream.ByteStream/Read") + message(4, message(kind, call))
    return varint(len(content)) + content


def test_traffic(tmp_path: Path) -> None:
    log = tmp_path / "log"
    other = message(4, message(8, b"\x0a\x00"))
    log.write_bytes(entry(5, 300) + entry(6, 5) + varint(len(other)) + other + entry(5, 1_000_000))
    assert traffic(log) == Traffic(1_000_300, 5, 2)


@pytest.mark.parametrize("content", [entry(5, 300)[:-1], b"\xff", b"\x02\x0f\x00"])
def test_not_a_log(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log").write_bytes(content)
    with pytest.raises(UserError, match="not a log"):
        traffic(tmp_path / "log")
