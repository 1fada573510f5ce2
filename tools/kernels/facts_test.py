import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.kernels.facts import main, parse_config
from tools.lib.errors import UserError

AUTO_CONF = """#
# Automatically generated file; DO NOT EDIT.
#
CONFIG_X86_64=y
CONFIG_SMP=y
CONFIG_MODVERSIONS=y
CONFIG_MODULE_SIG=y
CONFIG_MODULE_SIG_HASH="sha256"
CONFIG_CC_VERSION_TEXT="gcc-12 (Debian 12.2.0-14) 12.2.0"
"""
VERMAGIC = """#ifdef CONFIG_SMP
#define SMP "SMP "
#endif
#define VERMAGIC_STRING UTS_RELEASE " " SMP MODULE_ARCH_VERMAGIC
"""
ARCH_VERMAGIC = '#define MODULE_ARCH_VERMAGIC ""\n'
SYMVERS = "0x00000001\tone\tvmlinux\tEXPORT_SYMBOL\t\n0x00000002\ttwo\tnet/two\tEXPORT_SYMBOL_GPL\tSPACE\n"


def build_folder(folder: str, release: str) -> dict[str, str]:
    return {
        f"{folder}/include/generated/utsrelease.h": f'#define UTS_RELEASE "{release}"\n',
        f"{folder}/include/config/auto.conf": AUTO_CONF,
        f"{folder}/Module.symvers": SYMVERS,
    }


def source_folder(folder: str) -> dict[str, str]:
    return {
        f"{folder}/include/linux/vermagic.h": VERMAGIC,
        f"{folder}/arch/x86/include/asm/vermagic.h": ARCH_VERMAGIC,
        f"{folder}/drivers/Makefile": "obj-y += no/\n",
    }


INCLUDE = "include /usr/src/linux-headers-6.1.0-9-common/Makefile\n"
DEBIAN = {
    **build_folder("usr/src/linux-headers-6.1.0-9-amd64", "6.1.0-9-amd64"),
    "usr/src/linux-headers-6.1.0-9-amd64/Makefile": INCLUDE,
    **source_folder("usr/src/linux-headers-6.1.0-9-common"),
    **source_folder("usr/src/linux-headers-6.1.0-9-common-rt"),
}
UBUNTU = {
    **build_folder("usr/src/linux-headers-6.8.0-45-generic", "6.8.0-45-generic"),
    "usr/src/linux-headers-6.8.0-45-generic/Makefile": "-> ../linux-headers-6.8.0-45/Makefile",
    **source_folder("usr/src/linux-headers-6.8.0-45"),
}
RPM = {
    **build_folder("usr/src/kernels/5.14.0-427.el9.x86_64", "5.14.0-427.el9.x86_64"),
    **source_folder("usr/src/kernels/5.14.0-427.el9.x86_64"),
}


def archive(folder: Path, files: Mapping[str, str], prefix: str = "") -> Path:
    """A tar of the files; a text "-> TARGET" makes a symbolic link."""
    path = folder / "headers.tar"
    with tarfile.open(path, "w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(prefix + name)
            if text.startswith("-> "):
                member.type, member.linkname = tarfile.SYMTYPE, text[3:]
            member.size = 0 if member.issym() else len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def run_facts(folder: Path, files: Mapping[str, str], release: str, prefix: str = "") -> dict[str, object]:
    out = folder / "kernel.json"
    assert (
        main(["--headers", str(archive(folder, files, prefix)), "--release", release, "--out", str(out)]) == 0
    )
    facts = json.loads(out.read_text())
    assert isinstance(facts, dict)
    return facts


@pytest.mark.parametrize(
    ("files", "release", "build_dir", "source_dir"),
    [
        (DEBIAN, "6.1.0-9-amd64", "linux-headers-6.1.0-9-amd64", "linux-headers-6.1.0-9-common"),
        (UBUNTU, "6.8.0-45-generic", "linux-headers-6.8.0-45-generic", "linux-headers-6.8.0-45"),
        (RPM, "5.14.0-427.el9.x86_64", "kernels/5.14.0-427.el9.x86_64", "kernels/5.14.0-427.el9.x86_64"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "./"])
def test_layouts(
    tmp_path: Path, files: Mapping[str, str], release: str, build_dir: str, source_dir: str, prefix: str
) -> None:
    facts = run_facts(tmp_path, files, release, prefix)
    config = facts.pop("config")
    assert isinstance(config, dict)
    assert config["SMP"] == "y" and config["PREEMPT"] == "n" and config["MODULE_SIG_HASH"] == "sha256"
    assert facts == {
        "schema": 1,
        "release": release,
        "build_dir": f"usr/src/{build_dir}",
        "source_dir": f"usr/src/{source_dir}",
        "compiler": "gcc-12 (Debian 12.2.0-14) 12.2.0",
        "symbols": 2,
        "vermagic": f"{release} SMP ",
        "vmlinux": False,
    }


def test_vmlinux_counts_in_the_build_folder_only(tmp_path: Path) -> None:
    common = {"usr/src/linux-headers-6.1.0-9-common/vmlinux": "x"}
    assert run_facts(tmp_path, DEBIAN | common, "6.1.0-9-amd64")["vmlinux"] is False
    own = {"usr/src/linux-headers-6.1.0-9-amd64/vmlinux": "x"}
    assert run_facts(tmp_path, DEBIAN | own, "6.1.0-9-amd64")["vmlinux"] is True


def test_one_of_several_kernels(tmp_path: Path) -> None:
    assert (
        run_facts(tmp_path, {**DEBIAN, **UBUNTU, **RPM}, "6.8.0-45-generic")["vermagic"]
        == "6.8.0-45-generic SMP "
    )


def test_symvers_is_put_out(tmp_path: Path) -> None:
    headers = archive(tmp_path, RPM)
    release = "5.14.0-427.el9.x86_64"
    out, symvers = tmp_path / "k.json", tmp_path / "Module.symvers"
    main(["--headers", str(headers), "--release", release, "--out", str(out), "--symvers", str(symvers)])
    assert symvers.read_text() == SYMVERS


def without(files: Mapping[str, str], part: str) -> dict[str, str]:
    return {name: text for name, text in files.items() if part not in name}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (UBUNTU, "no configured headers for kernel 6.1.0-9-amd64; it has: 6.8.0-45-generic;"),
        ({}, "it has: none"),
        (without(DEBIAN, "9-common/"), r"common headers \(usr/src/linux-headers-6.1.0-9-common\) with"),
        (without(DEBIAN, "Module.symvers"), "no Module.symvers"),
        (without(DEBIAN, "asm/vermagic.h"), "MODULE_ARCH_VERMAGIC isn't defined"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, files: Mapping[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run_facts(tmp_path, files, "6.1.0-9-amd64")
    assert not (tmp_path / "kernel.json").exists()


def test_a_bad_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.tar"
    arguments = ["--headers", str(path), "--release", "x", "--out", str(tmp_path / "k")]
    with pytest.raises(UserError, match="no such headers archive"):
        main(arguments)
    path.write_bytes(b"\x1f\x8b not a tar" * 100)
    with pytest.raises(UserError, match="expected an uncompressed tar"):
        main(arguments)
    whole = archive(tmp_path, DEBIAN).read_bytes()
    path.write_bytes(whole[:3000])
    with pytest.raises(UserError):
        main(arguments)


def test_config_values() -> None:
    text = '# CONFIG_NOT=y\nCONFIG_A=y\nCONFIG_B="a = b"\nCONFIG_C=bare text\n\nCONFIG_D=m\n'
    assert parse_config(text) == {"A": "y", "B": "a = b", "C": "bare text", "D": "m"}
