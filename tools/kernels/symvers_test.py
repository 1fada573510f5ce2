import pytest

from tools.kernels.symvers import Export, parse_symvers
from tools.lib.errors import UserError


def test_lines_of_every_age() -> None:
    text = (
        "0xd5bf83c7\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"
        "0x00000001\tnew\tdrivers/new\tEXPORT_SYMBOL_GPL\tmodule:kvm-amd,kvm-intel\n"
        "0x00000002\tmiddle\tSPACE\tdrivers/middle\tEXPORT_SYMBOL_GPL\n"
        "0x00000003\told\tdrivers/old\tEXPORT_SYMBOL\n"
    )
    assert list(parse_symvers(text, "Module.symvers").values()) == [
        Export("module_layout", 0xD5BF83C7, "vmlinux", "EXPORT_SYMBOL"),
        Export("new", 1, "drivers/new", "EXPORT_SYMBOL_GPL", "module:kvm-amd,kvm-intel"),
        Export("middle", 2, "drivers/middle", "EXPORT_SYMBOL_GPL", "SPACE"),
        Export("old", 3, "drivers/old", "EXPORT_SYMBOL"),
    ]


@pytest.mark.parametrize(
    "line", ["", "0x1\tname", "zz\tname\tvmlinux\tEXPORT_SYMBOL\t", "0x1\ta\tb\tc\td\te"]
)
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(UserError, match="here/Module.symvers:2: expected CRC"):
        parse_symvers(f"0x1\tgood\tvmlinux\tEXPORT_SYMBOL\t\n{line}\n", "here/Module.symvers")


def test_gpl_only() -> None:
    assert Export("a", 0, "vmlinux", "EXPORT_SYMBOL_GPL").gpl_only
    assert Export("a", 0, "vmlinux", "EXPORT_UNUSED_SYMBOL_GPL").gpl_only
    assert not Export("a", 0, "vmlinux", "EXPORT_SYMBOL").gpl_only
