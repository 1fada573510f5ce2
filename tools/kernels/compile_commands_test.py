import json
from pathlib import Path

import pytest

from tools.kernels.compile_commands import compile_commands, compiler_command, entry, main
from tools.lib.errors import UserError

KERNEL = "/usr/src/linux-headers-6.1.0-9-amd64"
MAPS = {"/build/source": "vrouter", "/build": "other", "/usr/src": "headers"}

# As kbuild of line 6.1 wrote it, shortened.
ABSOLUTE = (
    "cmd_/build/source/sub/a.o :=  gcc-12 -Wp,-MMD,/build/source/sub/.a.o.d -nostdinc "
    "-I/usr/src/linux-headers-6.1.0-9-common/include -I./include -I/build/source2 -include /build/x.h "
    "-fmacro-prefix-map=/build/source/= -DTEXT='\"a $(pound)b \\# $$x;y\"' -DPLAIN=\"'c'\" -DEMPTY= '' "
    "-DKBUILD_BASENAME='\"a\"' -c -o /build/source/sub/a.o /build/source/sub/a.c   "
    "; ./tools/objtool/objtool --hacks=jump_label --module /build/source/sub/a.o\n"
)
# As line 7.3 wrote it, shortened.
RELATIVE = "savedcmd_sub/a.o :=  gcc-14 -Wp,-MMD,sub/.a.o.d -I./include -c -o sub/a.o sub/a.c  \n"


def test_absolute_paths_are_mapped() -> None:
    assert entry(ABSOLUTE.rstrip("\n"), KERNEL, MAPS) == {
        "directory": "headers/linux-headers-6.1.0-9-amd64",
        "file": "vrouter/sub/a.c",
        "arguments": [
            "gcc-12",
            "-Wp,-MMD,vrouter/sub/.a.o.d",
            "-nostdinc",
            "-Iheaders/linux-headers-6.1.0-9-common/include",
            "-I./include",
            "-Iother/source2",
            "-include",
            "other/x.h",
            "-fmacro-prefix-map=vrouter/=",
            '-DTEXT="a #b # $x;y"',
            "-DPLAIN='c'",
            "-DEMPTY=",
            "",
            '-DKBUILD_BASENAME="a"',
            "-c",
            "-o",
            "vrouter/sub/a.o",
            "vrouter/sub/a.c",
        ],
    }


def test_relative_paths_are_in_the_modules_folder() -> None:
    found = entry(RELATIVE, KERNEL, MAPS)
    assert found is not None
    assert (found["directory"], found["file"]) == ("vrouter", "vrouter/sub/a.c")
    assert found["arguments"][-1] == "sub/a.c"


@pytest.mark.parametrize(
    "text",
    [
        "cmd_/build/source/v.o := ld -m elf_x86_64 -r -o /build/source/v.o @/build/source/v.mod",
        "cmd_/build/source/v.mod.o := gcc -c -o /build/source/v.mod.o /build/source/v.mod.c",
        "savedcmd_.module-common.o := gcc -c -o .module-common.o /usr/src/x/scripts/module-common.c",
        "cmd_/build/source/e.o := gcc -D__ASSEMBLY__ -c -o /build/source/e.o /build/source/e.S",
        "",
    ],
)
def test_what_is_not_the_modules_own_c_file(text: str) -> None:
    assert entry(text, KERNEL, MAPS) is None


@pytest.mark.parametrize(
    "command",
    ["set -e; gcc -c -o a.o a.c", "gcc -c -o a.o a.c; objtool a.o", "true && gcc -c -o a.o a.c || exit 1"],
)
def test_only_the_compilers_command_is_taken(command: str) -> None:
    assert compiler_command(f"cmd_a.o := {command}") == ("a.o", ["gcc", "-c", "-o", "a.o", "a.c"])


def test_a_tree(tmp_path: Path) -> None:
    tree, out = tmp_path / "tree", tmp_path / "out.json"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / ".a.o.cmd").write_text(ABSOLUTE + "\nsource_x := /build/source/sub/a.c\n")
    second = "cmd_/build/source/A.o := gcc -c -o /build/source/A.o /build/source/A.c\n"
    (tree / ".A.o.cmd").write_text(second)
    (tree / ".v.mod.cmd").write_text("cmd_/build/source/v.mod := printf x\n")
    arguments = [
        "--tree",
        str(tree),
        "--directory",
        KERNEL,
        "--map",
        "/build/source/=vrouter",
        "--out",
        str(out),
    ]
    assert main(arguments) == 0
    assert [each["file"] for each in json.loads(out.read_text())] == ["vrouter/A.c", "vrouter/sub/a.c"]


def test_a_tree_with_modules_in_folders_and_a_link(tmp_path: Path) -> None:
    """As DKMS trees are built: by the name of a link, or, since line 6.13, in the module's own folder."""
    for folder, name, text in [
        ("one/sub", "a", RELATIVE),
        ("two", "b", "savedcmd_b.o := gcc -c -o b.o b.c\n"),
        ("three", "c", "cmd_/link/build/three/c.o := gcc -I/link/build -c -o /link/build/c.o /link/build/three/c.c\n"),
    ]:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f".{name}.o.cmd").write_text(text)
    found = compile_commands(tmp_path, KERNEL, MAPS, {"/link/build": "/build/source"})
    assert [(each["directory"], each["file"]) for each in found] == [
        ("vrouter/one", "vrouter/one/sub/a.c"),
        ("headers/linux-headers-6.1.0-9-amd64", "vrouter/three/c.c"),
        ("vrouter/two", "vrouter/two/b.c"),
    ]
    assert "-Ivrouter" in found[1]["arguments"]


def test_bad_input_is_named(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ["--directory", KERNEL, "--map", "/build=v", "--out", str(out), "--tree"]
    with pytest.raises(UserError, match="absent: expected the folder"):
        main([*arguments, str(tmp_path / "absent")])
    (tmp_path / ".a.o.cmd").write_text("cmd_/build/a.o := gcc -DX='open -c a.c\n")
    with pytest.raises(UserError, match=r"\.a\.o\.cmd:1: not a command as kbuild writes it"):
        main([*arguments, str(tmp_path)])
    assert not out.exists()
