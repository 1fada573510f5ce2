import struct
from pathlib import Path

import pytest

from tools.kernels.module_file import parse_module, read_module
from tools.kernels.symvers import Export
from tools.kernels.testing_module import Elf, build_module
from tools.lib.errors import UserError

PATH = Path("my-module.ko")
EXPORTS = [
    Export("first", 0x11111111, "my_module", "EXPORT_SYMBOL"),
    Export("second", 0xFEDCBA98, "my_module", "EXPORT_SYMBOL_GPL", "SPACE"),
    Export("third", 0x33333333, "my_module", "EXPORT_SYMBOL", "OTHER"),
]


@pytest.mark.parametrize("line", ["5.10", "6.1", "7.3"])
def test_exports_and_versions_of_each_line(line: str) -> None:
    versions = {"module_layout": 0x1234, "printk": 0xFFFFFFFF}
    module = parse_module(PATH, build_module([("license", "GPL")], {}, EXPORTS, versions, line))
    assert module.exports == {export.symbol: export for export in EXPORTS}
    assert module.versions == versions


def test_name_is_from_modinfo_or_the_file() -> None:
    assert parse_module(PATH, build_module([("name", "other")])).name == "other"
    assert parse_module(PATH, build_module([])).name == "my_module"


def test_wanted_are_undefined_symbols_only() -> None:
    wanted = {"printk": False, "maybe": True, "_GLOBAL_OFFSET_TABLE_": False}
    module = parse_module(PATH, build_module([], wanted, EXPORTS))
    assert module.wanted == {"printk": False, "maybe": True}
    assert module.versions is None


@pytest.mark.parametrize(
    ("licences", "compatible"),
    [
        (["GPL"], True),
        (["Dual MPL/GPL", "GPL v2"], True),
        (["Proprietary"], False),
        (["GPL", "Proprietary"], False),
        (["gpl"], False),
        ([], False),
    ],
)
def test_licence(licences: list[str], compatible: bool) -> None:
    module = parse_module(PATH, build_module([("license", licence) for licence in licences]))
    assert module.gpl_compatible == compatible


def test_a_signature_does_not_matter() -> None:
    content = build_module([("license", "GPL")], {"printk": False})
    signed = content + b"\x30\x82 pkcs7" + struct.pack(">I", 9) + b"~Module signature appended~\n"
    assert parse_module(PATH, signed).wanted == {"printk": False}


def test_what_is_no_module_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.ko"
    for content in (b"", b"not an ELF file", build_module([("license", "GPL")])[:-100]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"x\.ko: expected a kernel module"):
            read_module(path)
    path.write_bytes(Elf().finish())
    with pytest.raises(UserError, match=r"x\.ko: not a loadable module"):
        read_module(path)
    with pytest.raises(UserError, match="cannot read the module: No such file"):
        read_module(tmp_path / "absent.ko")
