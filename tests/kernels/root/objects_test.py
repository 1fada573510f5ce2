"""Plans, objects and links in real roots: what a person is told, and builds that change their own sources."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.kernels.kernel_root import KernelRoot, kernel_roots

each_kernel = pytest.mark.parametrize("kernel", kernel_roots(), ids=lambda kernel: kernel.release)
OLD, NEW = kernel_roots()
HEAD = "#include <linux/module.h>\n"
LICENCE = 'MODULE_DESCRIPTION("m");\nMODULE_LICENSE("GPL");\n'
KBUILD = "obj-m := m.o\nm-y := a.o sub/b.o\n"
FILES = {
    "Kbuild": KBUILD,
    "a.c": HEAD + '#include "sub/b.h"\nint a(void);\nint a(void) { return b(); }\n' + LICENCE,
    "sub/b.c": HEAD + '#include "b.h"\nint b(void) { return B; }\nEXPORT_SYMBOL_GPL(b);\n',
    "sub/b.h": "#define B 1\nint b(void);\n",
}
CONF = "PACKAGE_NAME=m\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=m\nPRE_BUILD=prepare.sh\n"


def error(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of the one error that a step ended with."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    return done.stderr.removeprefix("error: ").splitlines()


def note(folder: Path) -> str:
    """What the link's log says of the objects."""
    lines = (folder / "out/build.log").read_text().splitlines()
    found = [line for line in lines if line.startswith(("Objects compiled", "Built as a whole"))]
    assert found == lines[:1]
    return found[0]


@each_kernel
def test_the_same_bytes_as_the_whole(kernel: KernelRoot, tmp_path: Path) -> None:
    done = kernel.build_objects(tmp_path / "objects", FILES)
    assert done.returncode == 0, done.stderr
    assert note(tmp_path / "objects/link") == "Objects compiled by actions of their own: 2 of 2."
    done = kernel.build(tmp_path / "whole", FILES)
    assert done.returncode == 0, done.stderr
    assert note(tmp_path / "whole") == "Built as a whole: the test says so"
    for name in ("m.ko", "m.ko.debug", "Module.symvers", "compile_commands.json"):
        whole = (tmp_path / "whole/out" / name).read_bytes()
        assert (tmp_path / "objects/link/out" / name).read_bytes() == whole, name


@each_kernel
def test_the_compilers_message(kernel: KernelRoot, tmp_path: Path) -> None:
    files = FILES | {"sub/b.c": '#include "b.h"\nint b(void) { return undeclared; }\n'}
    lines = error(kernel.build_objects(tmp_path, files))
    assert lines[0] == f"net/m/sub/b.c of //net:m doesn't build for kernel {kernel.release} (exit code 1):"
    found = [line for line in lines if "'undeclared' undeclared" in line]
    assert len(found) == 1 and found[0].startswith("net/m/sub/b.c:2:")
    assert "/build/" not in "\n".join(lines)


@each_kernel
def test_a_header_that_isnt_there_is_the_links_message(kernel: KernelRoot, tmp_path: Path) -> None:
    """The build may make a header that the plan's run didn't."""
    lines = error(kernel.build_objects(tmp_path, FILES | {"sub/b.c": '#include "gone.h"\n'}))
    assert lines[0] == f"//net:m doesn't build for kernel {kernel.release} (exit code 2):"
    assert lines[1].startswith("net/m/sub/b.c:1:10: fatal error: gone.h: No such file")


@each_kernel
def test_a_c_file_that_srcs_lacks(kernel: KernelRoot, tmp_path: Path) -> None:
    files = {name: text for name, text in FILES.items() if name != "sub/b.c"}
    expected = (
        f"net/m/sub/b.c: no such file in //net:m, though a Makefile names its object for kernel {kernel.release}; "
        "add the file to the source's `srcs`, or take the object out of the Makefile"
    )
    assert error(kernel.build_objects(tmp_path / "objects", files)) == [expected]
    assert error(kernel.build(tmp_path / "whole", files)) == [expected]


ADDED = """--- a/Kbuild
+++ b/Kbuild
@@ -1,2 +1,2 @@
 obj-m := m.o
-m-y := a.o sub/b.o
+m-y := a.o sub/new.o
--- a/sub/b.c
+++ /dev/null
@@ -1,3 +0,0 @@
-#include <linux/module.h>
-#include "b.h"
-int b(void) { return B; }
--- /dev/null
+++ b/sub/new.c
@@ -0,0 +1,2 @@
+#include "b.h"
+int b(void) { return B + 1; }
"""


def test_a_patch_that_adds_a_c_file_and_deletes_one(tmp_path: Path) -> None:
    files = FILES | {"sub/b.c": HEAD + '#include "b.h"\nint b(void) { return B; }\n'}
    patches = ((ADDED, "6.1"),)
    done = OLD.build_objects(tmp_path / "objects", files, patches=patches)
    assert done.returncode == 0, done.stderr
    assert note(tmp_path / "objects/link") == (
        "Objects compiled by actions of their own: 1 of 2. No file of the source, compiled by the link: sub/new.c."
    )
    done = OLD.build(tmp_path / "whole", files, patches=patches)
    assert done.returncode == 0, done.stderr
    for name in ("m.ko", "m.ko.debug", "compile_commands.json"):
        whole = (tmp_path / "whole/out" / name).read_bytes()
        assert (tmp_path / "objects/link/out" / name).read_bytes() == whole, name


def test_a_patch_that_doesnt_apply(tmp_path: Path) -> None:
    patches = (("--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-what isn't there\n+x\n", "..6.1"),)
    lines = error(OLD.build_objects(tmp_path, FILES, patches=patches))
    assert lines[0].startswith(f"net/0.patch: the patch doesn't apply to //net:m for kernel {OLD.release};")
    assert any("FAILED at 1" in line for line in lines)
    assert not list((tmp_path / "parts/out").iterdir())


def test_a_makefile_that_cant_be_planned(tmp_path: Path) -> None:
    """One that reads a C file: only the whole build can have it."""
    reads = "ifeq ($(shell grep -c EXPORT_SYMBOL $(src)/sub/b.c),0)\n$(error b.c exports nothing)\nendif\n"
    files = FILES | {"Kbuild": KBUILD + reads}
    lines = error(OLD.build_objects(tmp_path / "required", files))
    assert lines[0] == (
        f"//net:m: kbuild can't be asked how it compiles it for kernel {OLD.release}: expected Makefiles that build it "
        'with stubs for its C files; mend them, or set compilation = "whole". It said:'
    )
    assert "net/m/Kbuild:4: *** b.c exports nothing.  Stop." in lines[1]
    done = OLD.build_objects(tmp_path / "chosen", files, required=False)
    assert done.returncode == 0, done.stderr
    expected = "Built as a whole: kbuild gives no plan: net/m/Kbuild:4: *** b.c exports nothing."
    assert note(tmp_path / "chosen/link").startswith(expected)
    assert OLD.build(tmp_path / "whole", files).returncode == 0
    for name in ("m.ko", "m.ko.debug"):
        assert (tmp_path / "chosen/link/out" / name).read_bytes() == (tmp_path / "whole/out" / name).read_bytes()


DECLARE = "echo 'int b(void);' >> version.h"
CHANGES = "Built as a whole: the build changes what its objects are compiled of: "


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"echo '#define B 7' > version.h; {DECLARE}", "Objects compiled by actions of their own: 2 of 2."),
        ("sed -i 's/return B/return 7/' sub/b.c", f"{CHANGES}sub/b.c"),
        (f'grep -c "return B" sub/b.c > n; echo "#define B $(cat n)" > version.h; {DECLARE}', f"{CHANGES}n, version.h"),
    ],
    ids=["generates", "edits", "reads"],
)
def test_a_build_that_changes_its_source(tmp_path: Path, script: str, expected: str) -> None:
    """A script before the build writes a header, edits a C file, or writes what it read in one."""
    files = {
        **FILES,
        "dkms.conf": CONF,
        "prepare.sh": f"#!/bin/sh\n{script}\n",
        "sub/b.c": FILES["sub/b.c"].replace('"b.h"', '"../version.h"'),
        "version.h": "#define B 0\nint b(void);\n",
    }
    done = NEW.build_objects(tmp_path / "objects", files, driver="dkms")
    assert done.returncode == 0, done.stderr
    assert note(tmp_path / "objects/link") == expected
    done = NEW.build(tmp_path / "whole", files, driver="dkms")
    assert done.returncode == 0, done.stderr
    for name in ("m.ko", "m.ko.debug"):
        whole = (tmp_path / "whole/out" / name).read_bytes()
        assert (tmp_path / "objects/link/out" / name).read_bytes() == whole, name


def test_an_edit_of_a_comment_leaves_the_plan_as_it_is(tmp_path: Path) -> None:
    for folder, files in (("old", FILES), ("new", FILES | {"Kbuild": f"# of m\n{KBUILD}", "a.c": FILES["a.c"] + "\n"})):
        assert OLD.build_objects(tmp_path / folder, files).returncode == 0
    for name in ("0", "1"):
        old, new = (tmp_path / folder / "plan/out" / name for folder in ("old", "new"))
        assert old.read_bytes() == new.read_bytes()
        assert json.loads(old.read_text())["recipe"]
    for name in ("generated.tar", "plan.json"):
        assert (tmp_path / "old/objects" / name).read_bytes() == (tmp_path / "new/objects" / name).read_bytes()
