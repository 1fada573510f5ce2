"""Unpack a kernel, so that it needn't unpack itself in a machine without hardware to help: that takes seconds.

A bzImage (Documentation/arch/x86/boot.rst) has the kernel proper as a compressed ELF file, with the length
that it has uncompressed in the last 4 bytes. QEMU starts an ELF file directly if it has the entry point of
PVH, a note of Xen's; a kernel without one is left as it is.
"""

import argparse
import gzip
import lzma
import struct
import subprocess
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

_BOOT_MAGIC, _BOOT_MAGIC_AT = b"HdrS", 0x202
_SETUP_SECTORS_AT, _SECTOR = 0x1F1, 512
_PAYLOAD_AT = 0x248  # offset and length, from the end of the setup sectors
_LENGTH = struct.Struct("<I")
# name length, length of the value, XEN_ELFNOTE_PHYS32_ENTRY, name
_PVH_NOTE = struct.pack("<III", 4, 4, 18) + b"Xen\0"
_PVH_NOTE_64 = struct.pack("<III", 4, 8, 18) + b"Xen\0"


def payload(image: bytes, path: Path) -> bytes:
    """The compressed kernel in a bzImage. Raises UserError if it isn't one."""
    if image[_BOOT_MAGIC_AT : _BOOT_MAGIC_AT + 4] != _BOOT_MAGIC:
        raise UserError(f"{path}: not a Linux kernel for x86: expected 'HdrS' at {_BOOT_MAGIC_AT:#x}")
    setup = (image[_SETUP_SECTORS_AT] + 1) * _SECTOR
    start, length = struct.unpack_from("<II", image, _PAYLOAD_AT)
    found = image[setup + start : setup + start + length]
    if len(found) < length or length < _LENGTH.size:
        raise UserError(f"{path}: the kernel is cut off: expected {setup + start + length} bytes, found {len(image)}")
    return found


def unpacked(image: bytes, path: Path, zstd: Callable[[bytes], bytes]) -> bytes:
    """What to give QEMU: the kernel as an ELF file, or `image` if that can't be started, or is as fast.

    LZ4 stays: it is unpacked in a fraction of a second wherever that happens.
    """
    packed = payload(image, path)
    decompress: dict[bytes, Callable[[bytes], bytes]] = {
        b"\xfd7zXZ\0": lzma.decompress,
        b"\x1f\x8b": gzip.decompress,
        b"\x28\xb5\x2f\xfd": zstd,
    }
    function = next((each for magic, each in decompress.items() if packed.startswith(magic)), None)
    if not function:
        return image
    try:
        kernel = function(packed[: -_LENGTH.size])
    except (lzma.LZMAError, zlib.error, gzip.BadGzipFile, EOFError, subprocess.CalledProcessError) as error:
        raise UserError(f"{path}: the kernel can't be decompressed: {error}") from error
    if len(kernel) != _LENGTH.unpack(packed[-_LENGTH.size :])[0]:
        raise UserError(f"{path}: the kernel has {len(kernel)} bytes, and says that it has others")
    return kernel if _PVH_NOTE in kernel or _PVH_NOTE_64 in kernel else image


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="vmlinux", description=__doc__)
    parser.add_argument("--runtime", type=Path, required=True, help="the tool runtime's folder")
    parser.add_argument("vmlinuz", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args(arguments)

    def zstd(data: bytes) -> bytes:
        words = [options.runtime / "bin/zstd", "--decompress", "--stdout", "--quiet"]
        return subprocess.run(words, input=data, stdout=subprocess.PIPE, check=True).stdout

    write_atomically(options.output, unpacked(options.vmlinuz.read_bytes(), options.vmlinuz, zstd))
    return 0


if __name__ == "__main__":
    run(main)
