"""What a person sees of a failed build."""

from tools.kernels.messages import failure_text, missing_c_file, shown_folders, user_paths
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


def test_an_object_without_a_c_file() -> None:
    source = Source("//x:y", "dkms", ".", ("m",), {}, (), "net/nat")
    rest = "for kernel 7.3-1; add the file to the source's `srcs`, or take the object out of the Makefile"
    absolute = "make[2]: *** No rule to make target '/build/source/sub/b.o', needed by '/build/source/m.o'.  Stop.\n"
    said = missing_c_file(absolute, source, SHOWN, "7.3-1")
    assert said == f"net/nat/sub/b.c: no such file in //x:y, though a Makefile names its object {rest}"
    relative = (
        "make: Entering directory '/usr/src/linux-headers-7.3-1'\n"
        "make[1]: Entering directory '/build/dkms/nat/1/build/src'\n"
        "make[3]: *** No rule to make target 'sub/b.o', needed by 'm.o'.  Stop.\n"
    )
    said = missing_c_file(relative, source, SHOWN, "7.3-1")
    assert said == f"net/nat/src/sub/b.c: no such file in //x:y, though a Makefile names its object {rest}"
    assert missing_c_file(RELATIVE, source, SHOWN, "7.3-1") == ""
