import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tools.kernels.gate import main
from tools.kernels.symvers import Export
from tools.kernels.testing_module import build_module
from tools.lib.errors import UserError

MAGIC = "6.1.0-9-amd64 SMP mod_unload modversions "
KERNEL = {
    "module_layout": Export("module_layout", 0x10, "vmlinux", "EXPORT_SYMBOL"),
    "printk": Export("printk", 0x20, "vmlinux", "EXPORT_SYMBOL"),
    "secret": Export("secret", 0x30, "vmlinux", "EXPORT_SYMBOL_GPL"),
    "spaced": Export("spaced", 0x40, "drivers/spaced", "EXPORT_SYMBOL", "SPACE"),
    "for_some": Export("for_some", 0x50, "arch/kvm", "EXPORT_SYMBOL", "module:kvm-amd,vr*"),
}
CRCS = {name: export.crc for name, export in KERNEL.items()}
SHARED = Export("shared", 0x99, "base", "EXPORT_SYMBOL_GPL")


@dataclass
class Module:
    """A module to check: by default a good one that calls printk."""

    name: str = "vrouter"
    licence: str = "GPL"
    magic: str = MAGIC
    wanted: Sequence[str] = ("printk",)
    weak: Sequence[str] = ()
    exports: Sequence[Export] = ()
    versions: dict[str, int] | None = field(default_factory=dict)
    imports: Sequence[str] = ()
    line: str = "6.1"

    def content(self) -> bytes:
        """The file; `versions` are added to the right CRCs of what it wants, None for no table at all."""
        info = [("license", self.licence), ("depends", "zeta,alpha"), ("name", self.name)]
        info += [("import_ns", space) for space in self.imports] + [("vermagic", self.magic)]
        wanted = dict.fromkeys(self.wanted, False) | dict.fromkeys(self.weak, True)
        versions = None
        if self.versions is not None:
            known = CRCS | {SHARED.symbol: SHARED.crc}
            versions = {name: known[name] for name in ["module_layout", *self.wanted] if name in known}
            versions |= self.versions
        return build_module(info, wanted, self.exports, versions, self.line)


def run_gate(
    folder: Path, *modules: Module, modversions: str = "y", extra: str = "", allow: str = "n"
) -> list[list[str]]:
    """Run the gate; the rows of its tables (symbol, wanted, found, exporter, problem), none if it passed."""
    config = {"MODVERSIONS": modversions, "MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS": allow}
    facts = {"release": "6.1.0-9-amd64", "vermagic": MAGIC, "config": config}
    (folder / "kernel.json").write_text(json.dumps(facts))
    lines = (f"0x{e.crc:08x}\t{e.symbol}\t{e.exporter}\t{e.kind}\t{e.namespace}\n" for e in KERNEL.values())
    (folder / "Module.symvers").write_text("".join(lines))
    (folder / "extra").write_text(extra)
    (folder / "out").mkdir(exist_ok=True)
    arguments = ["--kernel", f"{folder}/kernel.json", "--symvers", f"{folder}/Module.symvers"]
    arguments += ["--extra-symvers", f"{folder}/extra", "--target", "//kernels:6.1.0-9-amd64"]
    for module in modules:
        (folder / f"{module.name}.ko").write_bytes(module.content())
        arguments += ["--module", f"{folder}/{module.name}.ko={folder}/out/{module.name}.ko"]
    try:
        assert main([*arguments, "--modinfo", f"{folder}/out/modinfo.json"]) == 0
    except UserError as error:
        assert list((folder / "out").iterdir()) == [], "a failed gate wrote something"
        text = str(error)
        assert text.startswith("//kernels:6.1.0-9-amd64: ") and "What to do:" in text
        table = text.partition("\nWhat to do:")[0].splitlines()
        rows = [line.split(None, 4) for line in table if line.startswith("  ")]
        return [row for row in rows if row[0] != "symbol"]
    for module in modules:
        assert (folder / "out" / f"{module.name}.ko").read_bytes() == module.content()
    return []


@pytest.mark.parametrize("line", ["5.10", "6.1", "7.3"])
def test_a_good_module_passes(tmp_path: Path, line: str) -> None:
    wanted = ["printk", "secret", "spaced"]
    module = Module(wanted=wanted, weak=["nowhere"], imports=["OTHER", "SPACE"], line=line)
    assert run_gate(tmp_path, module) == []


def test_modinfo_json(tmp_path: Path) -> None:
    run_gate(tmp_path, Module(name="b", exports=[SHARED]), Module(name="a"))
    text = (tmp_path / "out" / "modinfo.json").read_text()
    assert str(tmp_path) not in text
    content = json.loads(text)
    assert [module["name"] for module in content["modules"]] == ["a", "b"]
    second = content["modules"][1]
    assert second["size"] == len(Module(name="b", exports=[SHARED]).content())
    assert (second["imports"], second["exports"], second["depends"]) == (1, 1, ["alpha", "zeta"])
    assert second["modinfo"] == {
        "depends": ["zeta,alpha"],
        "license": ["GPL"],
        "name": ["b"],
        "vermagic": [MAGIC],
    }


@pytest.mark.parametrize("line", ["6.1", "7.3"])
def test_a_wrong_crc(tmp_path: Path, line: str) -> None:
    rows = run_gate(tmp_path, Module(versions={"printk": 0xDEADBEEF}, line=line))
    assert rows == [["printk", "0x00000020", "0xdeadbeef", "vmlinux", "CRC differs"]]


def test_another_struct_module(tmp_path: Path) -> None:
    rows = run_gate(tmp_path, Module(versions={"module_layout": 0x11}))
    assert rows == [["module_layout", "0x00000010", "0x00000011", "vmlinux", "CRC differs"]]


def test_crcs_count_only_with_modversions(tmp_path: Path) -> None:
    assert run_gate(tmp_path, Module(versions={"printk": 0xDEADBEEF}), modversions="n") == []
    assert run_gate(tmp_path, Module(versions=None), modversions="n") == []


def test_no_crcs(tmp_path: Path) -> None:
    assert "no CRCs in the module" in run_gate(tmp_path, Module(versions=None))[0][4]
    content = Module(wanted=["module_layout"], weak=["printk"])
    assert run_gate(tmp_path, content) == []


def test_a_symbol_without_its_crc(tmp_path: Path) -> None:
    other = Module(name="base", exports=[Export("shared", 0x99, "base", "EXPORT_SYMBOL")])
    user = Module(wanted=["unversioned"])
    extra = "0x00000077\tunversioned\tother\tEXPORT_SYMBOL\t\n"
    rows = run_gate(tmp_path, other, user, extra=extra)
    assert rows == [["unversioned", "0x00000077", "-", "other", "no CRC in the module"]]


def test_a_missing_symbol(tmp_path: Path) -> None:
    rows = run_gate(tmp_path, Module(wanted=["printk", "nowhere"], versions={"nowhere": 0x77}))
    assert rows == [["nowhere", "-", "0x00000077", "nobody", "not exported"]]


def test_another_release(tmp_path: Path) -> None:
    for magic in ("6.1.0-8-amd64 SMP mod_unload modversions ", MAGIC.strip()):
        rows = run_gate(tmp_path, Module(magic=magic))
        assert rows[0][0] == "(vermagic)" and f"kernel: {MAGIC!r}, module: {magic!r}" in rows[0][4]


@pytest.mark.parametrize("licence", ["Proprietary", "GPLv2", "MIT"])
def test_gpl_only_symbols(tmp_path: Path, licence: str) -> None:
    assert run_gate(tmp_path, Module(licence=licence)) == []
    (tmp_path / "out" / "vrouter.ko").unlink()
    (tmp_path / "out" / "modinfo.json").unlink()
    rows = run_gate(tmp_path, Module(licence=licence, wanted=["secret"]))
    assert rows == [["secret", "-", "-", "vmlinux", f"GPL-only, but the module has licence {licence}"]]


def test_using_a_proprietary_module_forbids_gpl_only_symbols(tmp_path: Path) -> None:
    free = Export("shared", 0x99, "base", "EXPORT_SYMBOL")
    base = Module(name="base", licence="Proprietary", exports=[free])
    middle = Module(name="middle", wanted=["shared"], exports=[Export("more", 1, "middle", "EXPORT_SYMBOL")])
    top = Module(name="top", wanted=["more", "secret"], versions={"more": 1})
    rows = run_gate(tmp_path, top, middle, base)
    assert rows == [["secret", "-", "-", "vmlinux", "GPL-only, but the module uses a proprietary module"]]


def test_namespaces(tmp_path: Path) -> None:
    rows = run_gate(tmp_path, Module(wanted=["spaced"], imports=["OTHER"]))
    assert rows == [["spaced", "-", "-", "drivers/spaced", "namespace SPACE isn't imported"]]
    assert run_gate(tmp_path, Module(wanted=["spaced"]), allow="y") == []


@pytest.mark.parametrize("name", ["kvm_amd", "vrouter", "vr"])
def test_symbols_for_named_modules(tmp_path: Path, name: str) -> None:
    assert run_gate(tmp_path, Module(name=name, wanted=["for_some"])) == []


@pytest.mark.parametrize("name", ["kvm", "kvm_amd2", "v"])
def test_symbols_for_other_modules(tmp_path: Path, name: str) -> None:
    module = Module(name=name, wanted=["for_some"], imports=["module:kvm-amd,vr*"])
    rows = run_gate(tmp_path, module, allow="y")
    assert rows[0][4] == "namespace module:kvm-amd,vr* isn't imported"


def test_modules_of_one_source_use_each_other(tmp_path: Path) -> None:
    user = Module(name="user", wanted=["shared", "printk"])
    assert run_gate(tmp_path, user, Module(name="base", exports=[SHARED])) == []


def test_modules_of_one_source_must_agree(tmp_path: Path) -> None:
    user = Module(name="user", wanted=["shared"], licence="MIT", versions={"shared": 0x98})
    rows = run_gate(tmp_path, user, Module(name="base", exports=[SHARED]))
    assert rows == [
        ["shared", "0x00000099", "0x00000098", "base", "CRC differs"],
        ["shared", "-", "-", "base", "GPL-only, but the module has licence MIT"],
    ]


def test_a_dependency_by_its_symvers(tmp_path: Path) -> None:
    user = Module(name="user", wanted=["shared"])
    assert run_gate(tmp_path, user, extra="0x00000099\tshared\tbase\tEXPORT_SYMBOL_GPL\t\n") == []


def test_an_export_that_the_kernel_has_too(tmp_path: Path) -> None:
    stand_in = Export("spaced", 0x77, "new", "EXPORT_SYMBOL")
    assert run_gate(tmp_path, Module(name="new", exports=[stand_in])) == []
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    rows = run_gate(tmp_path, Module(exports=[Export("printk", 0x20, "vrouter", "EXPORT_SYMBOL")]))
    assert rows == [["printk", "-", "-", "vmlinux", "exported by the module, too"]]


def test_one_bad_module_keeps_all_back(tmp_path: Path) -> None:
    assert len(run_gate(tmp_path, Module(name="good"), Module(name="bad", wanted=["nowhere"]))) == 1


def test_the_headline_counts_and_long_tables_end(tmp_path: Path) -> None:
    module = Module(wanted=[f"none{number:02}" for number in range(50)])
    with pytest.raises(AssertionError):
        assert run_gate(tmp_path, module) == []
    rows = run_gate(tmp_path, module)
    assert len(rows) == 41 and rows[-1] == ["...", "and", "10", "more"]


def test_debug_data_goes_along(tmp_path: Path) -> None:
    run_gate(tmp_path, Module())
    debug = tmp_path / "vrouter.ko.debug"
    common = [
        "--kernel",
        f"{tmp_path}/kernel.json",
        "--symvers",
        f"{tmp_path}/Module.symvers",
        "--target",
        "//x",
    ]
    common += ["--module", f"{tmp_path}/vrouter.ko={tmp_path}/two.ko", "--modinfo", f"{tmp_path}/two.json"]
    common += ["--debug", f"{debug}={tmp_path}/two.debug"]
    with pytest.raises(UserError, match=r"vrouter.ko.debug: cannot read: No such file"):
        main(common)
    assert not (tmp_path / "two.ko").exists()
    debug.write_bytes(b"debug")
    assert main(common) == 0
    assert (tmp_path / "two.debug").read_bytes() == b"debug"


def test_bad_facts_are_named(tmp_path: Path) -> None:
    run_gate(tmp_path, Module())
    facts = tmp_path / "facts.json"
    arguments = ["--kernel", str(facts), "--symvers", f"{tmp_path}/Module.symvers", "--target", "//x"]
    arguments += ["--module", f"{tmp_path}/vrouter.ko={tmp_path}/o.ko", "--modinfo", f"{tmp_path}/o.json"]
    for text in ("{", "[]", "{}"):
        facts.write_text(text)
        with pytest.raises(UserError, match="facts.json: expected a kernel.json"):
            main(arguments)
