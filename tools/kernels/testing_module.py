"""Kernel modules for tests: small ELF64 files with the sections and symbols that the gate reads."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from tools.kernels.symvers import Export

_LOCAL, _GLOBAL, _WEAK = 0, 1, 2
_ABSOLUTE = 0xFFF1


class Elf:
    """A relocatable ELF64 file in the making, little-endian x86-64 (the ELF specification, elf(5))."""

    def __init__(self) -> None:
        self.sections: list[tuple[str, int, bytearray, int, int, int]] = [("", 0, bytearray(), 0, 0, 0)]
        self.symbols: list[tuple[str, int, int, int]] = [("", _LOCAL, 0, 0)]

    def section(
        self, name: str, data: bytes, kind: int = 1, link: int = 0, info: int = 0, entry: int = 0
    ) -> int:
        """Add a section (kind 1 is PROGBITS); its index."""
        self.sections.append((name, kind, bytearray(data), link, info, entry))
        return len(self.sections) - 1

    def symbol(self, name: str, binding: int, section: int, value: int = 0) -> None:
        """Add a symbol; section 0 is undefined."""
        self.symbols.append((name, binding, section, value))

    def local(self, name: str, section: str, data: bytes) -> None:
        """Add a local symbol for data at the end of a section, which is made when it isn't there."""
        indexes = [index for index, each in enumerate(self.sections) if each[0] == section]
        index = indexes[0] if indexes else self.section(section, b"")
        self.symbol(name, _LOCAL, index, len(self.sections[index][2]))
        self.sections[index][2].extend(data)

    def finish(self) -> bytes:
        """The file's bytes."""
        names, table = b"\0", b""
        for name, binding, section, value in self.symbols:
            table += struct.pack("<IBBHQQ", len(names) if name else 0, binding << 4, 0, section, value, 0)
            names += name.encode() + b"\0" if name else b""
        strings = self.section(".strtab", names, kind=3)
        self.section(".symtab", table, kind=2, link=strings, info=1, entry=24)
        titles = (
            b"\0" + b"".join(f"{section[0]}\0".encode() for section in self.sections[1:]) + b".shstrtab\0"
        )
        self.section(".shstrtab", titles, kind=3)
        body, headers, offset = b"", b"", 64
        for name, kind, data, link, info, entry in self.sections:
            at = titles.index(f"\0{name}\0".encode()) + 1 if name else 0
            headers += struct.pack("<IIQQQQIIQQ", at, kind, 0, 0, offset, len(data), link, info, 1, entry)
            body, offset = body + data, offset + len(data)
        count = len(self.sections)
        ident = b"\x7fELF\x02\x01\x01" + bytes(9)
        return (
            struct.pack("<16sHHIQQQIHHHHHH", ident, 1, 62, 1, 0, 0, offset, 0, 64, 0, 0, 64, count, count - 1)
            + body
            + headers
        )


def build_module(
    modinfo: Sequence[tuple[str, str]],
    wanted: Mapping[str, bool] | None = None,
    exports: Sequence[Export] = (),
    versions: Mapping[str, int] | None = None,
    line: str = "6.1",
) -> bytes:
    """A module's bytes; `wanted` are undefined symbols, true for weak ones.

    `line` picks how exports and versions are stored: "5.10" (CRCs are absolute symbols), "6.1" (CRCs in
    a section), "7.3" (flags in a section, extended versions).
    """
    elf = Elf()
    elf.symbol("__this_module", _GLOBAL, elf.section(".gnu.linkonce.this_module", bytes(8)))
    elf.section(".modinfo", b"".join(f"{key}={value}\0".encode() for key, value in modinfo))
    for name, weak in (wanted or {}).items():
        elf.symbol(name, _WEAK if weak else _GLOBAL, 0)
    for export in exports:
        gpl = "_gpl" if export.gpl_only and line != "7.3" else ""
        elf.local(f"__ksymtab_{export.symbol}", f"__ksymtab{gpl}", bytes(12))
        elf.local(f"__kstrtabns_{export.symbol}", "__ksymtab_strings", export.namespace.encode() + b"\0")
        if line == "5.10":
            elf.symbol(f"__crc_{export.symbol}", _GLOBAL, _ABSOLUTE, export.crc)
        else:
            elf.local(f"__crc_{export.symbol}", f"__kcrctab{gpl}", struct.pack("<I", export.crc))
        if line == "7.3":
            elf.local(f"__flags_{export.symbol}", "__kflagstab", bytes([int(export.gpl_only)]))
    if versions is not None and line == "7.3":
        elf.section("__version_ext_crcs", b"".join(struct.pack("<I", crc) for crc in versions.values()))
        elf.section("__version_ext_names", b"".join(f"{name}\0".encode() for name in versions))
    elif versions is not None:
        entries = (struct.pack("<Q56s", crc, name.encode()) for name, crc in versions.items())
        elf.section("__versions", b"".join(entries))
    return elf.finish()
