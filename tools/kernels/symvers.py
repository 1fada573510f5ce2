"""`Module.symvers`: what a kernel, or a built module tree, exports.

One line to a symbol, tab-separated (Documentation/kbuild/modules.rst, "Symbols and CRCs"):
CRC, symbol, exporter ("vmlinux" or a module's path without ".ko"), export type, namespace.
Lines 5.3 to 5.9 have the namespace third, and older ones have none.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.lib.errors import UserError


@dataclass(frozen=True)
class Export:
    """One exported symbol. `crc` is 0 where the kernel is built without CONFIG_MODVERSIONS."""

    symbol: str
    crc: int
    exporter: str
    kind: str
    namespace: str = ""

    @property
    def gpl_only(self) -> bool:
        """Whether only GPL-compatible modules may use it (EXPORT_SYMBOL_GPL and its kin)."""
        return "_GPL" in self.kind


def parse_symvers(text: str, path: str) -> dict[str, Export]:
    """Exports by symbol name. `path` is for the UserError of a malformed line."""
    exports = {}
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split("\t")
        try:
            if fields[3].startswith("EXPORT_"):
                crc, symbol, exporter, kind, namespace = [*fields, ""][:5]
            else:
                crc, symbol, namespace, exporter, kind = fields
            exports[symbol] = Export(symbol, int(crc, 16), exporter, kind, namespace)
        except (IndexError, ValueError) as error:
            raise UserError(
                f"{path}:{number}: expected CRC, symbol, module, export type and namespace, "
                "tabs between them; take the Module.symvers of the kernel's headers or of a finished build"
            ) from error
    return exports
