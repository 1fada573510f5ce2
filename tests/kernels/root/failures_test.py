"""What a person is told when a module doesn't build, or wouldn't load: real roots, real compilers."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kernels.kernel_root import KernelRoot, kernel_roots
from tools.kernels import gate
from tools.lib.errors import UserError

each_kernel = pytest.mark.parametrize("kernel", kernel_roots(), ids=lambda kernel: kernel.release)
OLD, NEW = kernel_roots()
HEAD = "#include <linux/module.h>\n"
LICENCE = 'MODULE_DESCRIPTION("m");\nMODULE_LICENSE("GPL");\n'
KBUILD = "obj-m := m.o\n"
CONF = "PACKAGE_NAME=m\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=m\nBUILT_MODULE_LOCATION=src\n"
MAKE = "MAKE='make -C $kernel_source_dir M=$dkms_tree/m/1/build/src'\n"


def error(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of the one error that the build ended with."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    return done.stderr.removeprefix("error: ").splitlines()


@each_kernel
def test_the_compilers_message_comes_first(kernel: KernelRoot, tmp_path: Path) -> None:
    files = {
        "Kbuild": "obj-m := m.o\nm-y := a.o sub/b.o\n",
        "a.c": HEAD + LICENCE,
        "sub/b.c": '#include "b.h"\nint b(void) { return b_of(undeclared); }\n',
        "sub/b.h": "int b_of(int);\nint b(void);\n",
    }
    first, second, *_ = error(kernel.build(tmp_path, files))
    assert first == f"//net:m doesn't build for kernel {kernel.release} (exit code 2):"
    assert second.startswith("net/m/sub/b.c:2:") and "'undeclared' undeclared" in second


@each_kernel
def test_a_dkms_tree_names_files_as_the_user_does(kernel: KernelRoot, tmp_path: Path) -> None:
    files = {"dkms.conf": CONF + MAKE, "src/Kbuild": KBUILD, "src/m.c": "#error not today\n"}
    done = kernel.build(tmp_path, files, driver="dkms", modules=("src/m",))
    assert error(done)[1].startswith("net/m/src/m.c:1:2: error: #error not today")


def test_a_dkms_tree_that_leaves_the_kernel_out(tmp_path: Path) -> None:
    files = {"dkms.conf": CONF + "BUILD_EXCLUSIVE_KERNEL_MIN=99\n"}
    done = OLD.build(tmp_path, files, driver="dkms", modules=("src/m",))
    assert error(done) == [
        f"//net:m: its dkms.conf is not for kernel {OLD.release}: BUILD_EXCLUSIVE_KERNEL_MIN=99; leave this kernel out"
    ]


def test_a_patch_that_doesnt_apply(tmp_path: Path) -> None:
    patches = (
        ("--- a/m.c\n+++ b/m.c\n@@ -1 +1 @@\n-what isn't there\n+x\n", "6.2.."),
        ("--- a/m.c\n+++ b/m.c\n@@ -1 +1 @@\n-nor this\n+x\n", "..6.1"),
    )
    lines = error(OLD.build(tmp_path, {"Kbuild": KBUILD, "m.c": HEAD + LICENCE}, patches=patches))
    assert lines[0].startswith(f"net/1.patch: the patch doesn't apply to //net:m for kernel {OLD.release};")
    assert any("FAILED at 1" in line for line in lines)


def test_a_module_that_isnt_built(tmp_path: Path) -> None:
    done = OLD.build(tmp_path, {"Kbuild": KBUILD, "m.c": HEAD + LICENCE}, modules=("m", "n"))
    (line,) = error(done)
    assert line == f"//net:m: the build for kernel {OLD.release} left no n.ko; it made: m.ko; correct `modules`"


def test_a_program_that_the_root_lacks(tmp_path: Path) -> None:
    (line,) = error(OLD.build(tmp_path, {"SConstruct": ""}, driver="scons"))
    assert line.startswith("the root has no program 'scons'") and "root_extras" in line


def test_a_symbol_that_nobody_has(tmp_path: Path) -> None:
    source = HEAD + "void nobody_has_it(void);\nvoid m(void);\nvoid m(void) { nobody_has_it(); }\n" + LICENCE
    lines = error(OLD.build(tmp_path, {"Kbuild": KBUILD, "m.c": source}))
    assert lines[1].startswith("ERROR: modpost:") and "nobody_has_it" in lines[1]


def gate_says(kernel: KernelRoot, folder: Path, module: Path) -> list[str]:
    """What the gate says of a module, in lines; it must refuse it and leave nothing."""
    words = ["--kernel", str(kernel.facts), "--symvers", str(kernel.symvers), "--target", "//kernels:x"]
    words += ["--modinfo", str(folder / "modinfo.json"), "--module", f"{module}={folder}/passed.ko"]
    with pytest.raises(UserError) as raised:
        gate.main(words)
    assert not {"passed.ko", "modinfo.json"} & set(os.listdir(folder))
    return str(raised.value).splitlines()


@each_kernel
def test_the_gate_has_a_table_of_symbols(kernel: KernelRoot, tmp_path: Path) -> None:
    """modpost can be told to let a missing symbol pass; the gate can't."""
    source = HEAD + "void nobody_has_it(void);\nvoid m(void);\nvoid m(void) { nobody_has_it(); }\n" + LICENCE
    done = kernel.build(tmp_path, {"Kbuild": KBUILD, "m.c": source}, make_vars={"KBUILD_MODPOST_WARN": "1"})
    assert done.returncode == 0, done.stderr
    lines = gate_says(kernel, tmp_path, tmp_path / "out/m.ko")
    assert lines[0] == f"//kernels:x: m.ko: 1 problem; kernel {kernel.release} would not load it"
    assert lines[1].split() == ["symbol", "wanted", "CRC", "found", "CRC", "exported", "by", "problem"]
    assert lines[2].split()[0] == "nobody_has_it" and lines[2].endswith("not exported")


@each_kernel
def test_the_gate_knows_licences(kernel: KernelRoot, tmp_path: Path) -> None:
    """modpost refuses it too, so the licence changes after the build."""
    source = HEAD + "#include <linux/ktime.h>\n#include <linux/timekeeping.h>\n"
    source += "static int __init m_init(void) { return ktime_get_raw() == 0; }\nmodule_init(m_init);\n"
    source += "static void __exit m_exit(void) {}\nmodule_exit(m_exit);\n" + LICENCE
    done = kernel.build(tmp_path, {"Kbuild": KBUILD, "m.c": source})
    assert done.returncode == 0, done.stderr
    content = (tmp_path / "out/m.ko").read_bytes()
    assert content.count(b"license=GPL\0") == 1
    (tmp_path / "own.ko").write_bytes(content.replace(b"license=GPL\0", b"license=OWN\0"))
    lines = gate_says(kernel, tmp_path, tmp_path / "own.ko")
    row = next(line for line in lines if line.split()[:1] == ["ktime_get_raw"])
    assert row.endswith("GPL-only, but the module has licence OWN") and " vmlinux " in row
