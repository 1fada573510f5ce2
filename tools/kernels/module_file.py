"""A built kernel module (.ko), read for the gate: what it says, wants and exports."""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Symbol, SymbolTableSection

from tools.kernels.symvers import Export
from tools.lib.errors import UserError

# include/linux/license.h, the same from line 5.10 to 7.3.
GPL_COMPATIBLE = (
    "GPL",
    "GPL v2",
    "GPL and additional rights",
    "Dual BSD/GPL",
    "Dual MIT/GPL",
    "Dual MPL/GPL",
)

# GNU as before 2.37 leaves it, unused; the loader lets it pass (kernel/module/main.c, ignore_undef_symbol).
_IGNORED = "_GLOBAL_OFFSET_TABLE_"


@dataclass(frozen=True)
class ModuleFile:
    """One module.

    `modinfo` has the .modinfo entries in their order; `wanted` maps each undefined symbol to
    whether it is weak; `exports` are its own, by name; `versions` are the CRCs that it was built
    against, by symbol, or None when it has none.
    """

    name: str
    content: bytes
    modinfo: tuple[tuple[str, str], ...]
    wanted: dict[str, bool]
    exports: dict[str, Export]
    versions: dict[str, int] | None

    def info(self, key: str) -> list[str]:
        """All the values of a modinfo key."""
        return [value for name, value in self.modinfo if name == key]

    @property
    def gpl_compatible(self) -> bool:
        """Whether every licence that it names is GPL-compatible (none named: it isn't)."""
        licences = self.info("license")
        return bool(licences) and all(licence in GPL_COMPATIBLE for licence in licences)

    @property
    def sha256(self) -> str:
        """The file's digest, 64 hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


def read_module(path: Path) -> ModuleFile:
    """Read a .ko. Raises UserError when it isn't a linked kernel module."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read the module: {error.strerror}") from error
    try:
        return parse_module(path, content)
    except (ELFError, struct.error, KeyError, IndexError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: expected a kernel module, an ELF file ({error}); is it compressed or cut short?"
        ) from error


def parse_module(path: Path, content: bytes) -> ModuleFile:
    """Read a module's bytes; a signature after the ELF file doesn't matter.

    `path` is for errors, and names a module that doesn't say its name.
    """
    elf = ELFFile(io.BytesIO(content))
    sections = {section.name: section for section in elf.iter_sections()}
    table = sections.get(".symtab")
    if ".gnu.linkonce.this_module" not in sections or not isinstance(table, SymbolTableSection):
        raise UserError(
            f"{path}: not a loadable module (no .gnu.linkonce.this_module or no symbol table); "
            "give the .ko of the final link, stripped of debug data only"
        )
    data = {name: bytes(section.data()) for name, section in sections.items() if _is_read(name)}
    modinfo = tuple(
        (key, value)
        for key, _, value in (text.partition("=") for text in _texts(data.get(".modinfo", b"")))
        if key
    )
    name = dict(modinfo).get("name", path.name.partition(".")[0].replace("-", "_"))
    symbols = list(table.iter_symbols())
    wanted = {
        symbol.name: symbol["st_info"]["bind"] == "STB_WEAK"
        for symbol in symbols
        if symbol["st_shndx"] == "SHN_UNDEF" and symbol.name not in ("", _IGNORED)
    }
    exports = _exports(name, elf, symbols, data)
    return ModuleFile(name, content, modinfo, wanted, exports, _versions(elf, data))


def _is_read(section: str) -> bool:
    return section in (".modinfo", "__versions", "__version_ext_crcs", "__version_ext_names") or (
        section.startswith(("__ksymtab_strings", "__kcrctab", "__kflagstab"))
    )


def _texts(data: bytes) -> list[str]:
    """The NUL-terminated texts in a section."""
    return [text.decode() for text in data.split(b"\0") if text]


def _exports(name: str, elf: ELFFile, symbols: list[Symbol], data: dict[str, bytes]) -> dict[str, Export]:
    """The module's exports, by the symbols that include/linux/export.h and export-internal.h make for each.

    Being GPL-only is the section's name (__ksymtab_gpl), or from line 7.x on bit 0 of a byte in __kflagstab;
    a CRC is the value of __crc_SYMBOL (until line 5.18) or a word in __kcrctab or __kcrctab_gpl.
    """
    prefixes = ("__crc_", "__flags_", "__kstrtabns_")
    about = {symbol.name: symbol for symbol in symbols if symbol.name.startswith(prefixes)}

    def data_of(symbol: Symbol) -> bytes:
        return data[elf.get_section(symbol["st_shndx"]).name][symbol["st_value"] :]

    exports = {}
    for symbol in symbols:
        if not symbol.name.startswith("__ksymtab_") or not isinstance(symbol["st_shndx"], int):
            continue
        exported = symbol.name.removeprefix("__ksymtab_")
        crc, flags, namespace = (about.get(prefix + exported) for prefix in prefixes)
        gpl = "_gpl" in elf.get_section(symbol["st_shndx"]).name.partition("+")[0]
        if flags:
            gpl = bool(data_of(flags)[0] & 1)
        if crc and crc["st_shndx"] != "SHN_ABS":
            value = struct.unpack_from(_order(elf) + "I", data_of(crc))[0]
        else:
            value = crc["st_value"] if crc else 0
        exports[exported] = Export(
            exported,
            value,
            name,
            "EXPORT_SYMBOL_GPL" if gpl else "EXPORT_SYMBOL",
            data_of(namespace).partition(b"\0")[0].decode() if namespace else "",
        )
    return exports


def _order(elf: ELFFile) -> str:
    return "<" if elf.little_endian else ">"


def _versions(elf: ELFFile, data: dict[str, bytes]) -> dict[str, int] | None:
    """CRCs by symbol; like the loader, from the extended tables (line 6.14 and later) if they are there.

    The basic table is an array of `struct modversion_info`, 64 bytes each: an unsigned long and a name.
    """
    if "__version_ext_names" in data:
        names = _texts(data["__version_ext_names"])
        crcs = struct.unpack(f"{_order(elf)}{len(names)}I", data["__version_ext_crcs"][: 4 * len(names)])
        return dict(zip(names, crcs, strict=True))
    if "__versions" not in data:
        return None
    entry = struct.Struct(_order(elf) + ("Q56s" if elf.elfclass == 64 else "I60s"))
    return {name.partition(b"\0")[0].decode(): crc for crc, name in entry.iter_unpack(data["__versions"])}
