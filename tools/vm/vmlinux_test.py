import gzip
import lzma
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.vm.vmlinux import unpacked

PATH = Path("vmlinuz")
NOTE = struct.pack("<III", 4, 4, 18) + b"Xen\0" + bytes(4)


def image(packed: bytes, length: int) -> bytes:
    """A bzImage with a compressed kernel of this length."""
    setup = bytearray(2 * 512)
    setup[0x1F1] = 1
    setup[0x202:0x206] = b"HdrS"
    packed += struct.pack("<I", length)
    struct.pack_into("<II", setup, 0x248, 16, len(packed))
    return bytes(setup) + bytes(16) + packed + b"the rest"


def reversed_bytes(data: bytes) -> bytes:
    """Stands for zstd, which is a program."""
    return data[4:][::-1]


@pytest.mark.parametrize("compress", [lzma.compress, gzip.compress, lambda data: b"\x28\xb5\x2f\xfd" + data[::-1]])
def test_a_kernel_is_unpacked(compress: Callable[[bytes], bytes]) -> None:
    kernel = b"\x7fELF" + NOTE
    assert unpacked(image(compress(kernel), len(kernel)), PATH, reversed_bytes) == kernel


def test_a_kernel_without_the_entry_point_stays_as_it_is() -> None:
    whole = image(lzma.compress(b"\x7fELF"), 4)
    assert unpacked(whole, PATH, reversed_bytes) == whole


def test_lz4_stays_as_it_is() -> None:
    whole = image(b"\x02\x21\x4c\x18xxxx", 4)
    assert unpacked(whole, PATH, reversed_bytes) == whole


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        (b"MZ" + bytes(1000), "vmlinuz: not a Linux kernel for x86"),
        (image(lzma.compress(NOTE), len(NOTE))[:-20], "the kernel is cut off"),
        (image(lzma.compress(NOTE), 5), "the kernel has 20 bytes, and says that it has others"),
        (image(b"\xfd7zXZ\0junk", 5), "the kernel can't be decompressed"),
    ],
)
def test_what_is_no_kernel_is_named(whole: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        unpacked(whole, PATH, reversed_bytes)
