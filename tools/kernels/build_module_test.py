"""What a person sees of a failed build, and what other modules see of a finished one."""

from pathlib import Path

from tools.kernels.build_module import failure_text, merged_symvers, shown_folders, user_paths
from tools.kernels.source import Source

SHOWN = {"/build/source": "net/nat", "/build/dkms/nat/1/build": "net/nat"}

# As kbuild of line 7.3 wrote it, shortened.
RELATIVE = """\
make: Entering directory '/usr/src/linux-headers-7.3.4+deb13-amd64'
make[1]: Entering directory '/build/dkms/nat/1/build/src'
  CC [M]  common/a.o
In file included from common/a.c:2:
common/b.h: In function 'b':
common/b.h:7:9: error: implicit declaration of function 'strncpy'
make[3]: *** [/usr/src/linux-headers-7.3.4+deb13-common/scripts/Makefile.build:295: common/a.o] Error 1
make[1]: Leaving directory '/build/dkms/nat/1/build/src'
include/linux/x.h:1: error: of the kernel
make: Leaving directory '/usr/src/linux-headers-7.3.4+deb13-amd64'
"""


def test_relative_paths_are_found_in_makes_folder() -> None:
    lines = user_paths(RELATIVE, SHOWN)
    assert "In file included from net/nat/src/common/a.c:2:" in lines
    assert "net/nat/src/common/b.h:7:9: error: implicit declaration of function 'strncpy'" in lines
    assert "include/linux/x.h:1: error: of the kernel" in lines


def test_absolute_paths() -> None:
    assert user_paths("/build/source/a.c:1:2: error: x", SHOWN) == ["net/nat/a.c:1:2: error: x"]
    assert user_paths("/build/source/a.c:1:2: error: x", {"/build/source": ""}) == ["a.c:1:2: error: x"]


def test_the_compilers_message_is_first() -> None:
    first = failure_text(RELATIVE, SHOWN).splitlines()[0]
    assert first == "net/nat/src/common/b.h:7:9: error: implicit declaration of function 'strncpy'"


def test_names_of_a_folder_that_the_build_links() -> None:
    source = Source("//x:y", "dkms", "sub", ("sub/m",), {}, (), "net/nat")
    assert shown_folders(source, {"/build/dkms/nat/1/build": "/build/source/sub"}) == {
        "/build/source": "net/nat",
        "/build/dkms/nat/1/build": "net/nat/sub",
    }


def test_exports_of_all_folders(tmp_path: Path) -> None:
    for folder, text in [
        ("b", "0x00000002\tb\tb/b\tEXPORT_SYMBOL\t\n"),
        ("a", "0x00000003\tc\ta/a\tEXPORT_SYMBOL\t\n0x00000009\ta\ta/a\tEXPORT_SYMBOL\t\n"),
        ("none", ""),
    ]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Module.symvers").write_text(text)
    assert [line.split("\t")[1] for line in merged_symvers(tmp_path, ["a/a", "b/b"]).splitlines()] == ["a", "b", "c"]
    assert merged_symvers(tmp_path / "none", ["a/a"]) == ""


def test_exports_of_a_module_that_isn_t_shipped_don_t_count(tmp_path: Path) -> None:
    lines = "0x1\tours\tsub/shipped\tEXPORT_SYMBOL\t\n0x2\ttheirs\tsub/helper\tEXPORT_SYMBOL\t\n"
    (tmp_path / "Module.symvers").write_text(lines)
    assert merged_symvers(tmp_path, ["sub/shipped"]) == lines.splitlines(keepends=True)[0]
