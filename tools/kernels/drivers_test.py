"""The commands of each driver, and make's own reading of the variables they hand down."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.kernels import drivers
from tools.kernels.drivers import Kernel, driver_commands, links, patch_commands, split_commands
from tools.kernels.source import Patch, Source
from tools.lib.errors import UserError

KERNEL = Kernel("6.1.0-56-amd64", "/usr/src/linux-headers-6.1.0-56-amd64", "gcc-12")
CONF = 'PACKAGE_NAME="odd"\nPACKAGE_VERSION="1.0"\n'


def source(driver: str, modules: tuple[str, ...] = ("m",), directory: str = ".", **make_vars: str) -> Source:
    patches = (
        Patch("/forge/patches/0.patch", "all.patch", ""),
        Patch("/forge/patches/1.patch", "old.patch", "..5.10"),
        Patch("/forge/patches/2.patch", "new.patch", "6.1.."),
    )
    return Source("//x:y", driver, directory, modules, make_vars, patches, "x")


def test_kbuild() -> None:
    (command,) = driver_commands(source("kbuild", directory="sub", V="1", REL="{release}:{build_dir}"), KERNEL)
    assert str(command) == (
        f"cd /build/source/sub && make -C {KERNEL.build_dir} M=/build/source/sub CC=gcc-12 "
        f"CONFIG_DEBUG_INFO_BTF_MODULES= REL={KERNEL.release}:{KERNEL.build_dir} V=1 modules"
    )


def test_scons() -> None:
    (command,) = driver_commands(source("scons", ("vrouter/vrouter",), OPT="a b"), KERNEL)
    assert str(command) == (
        f"cd /build/source && scons -Q --kernel-dir={KERNEL.build_dir} 'OPT=a b' vrouter/vrouter.ko"
    )


def test_patches_of_the_line_in_order() -> None:
    assert [command.words[-1][-7:] for command in patch_commands(source("kbuild"), KERNEL)] == ["0.patch", "2.patch"]


def test_split_names_files_after_the_module() -> None:
    keep, strip = split_commands(source("kbuild", ("src/nat/m",)), Path("/out"))
    assert keep.words[-2:] == ("/build/source/src/nat/m.ko", "m.ko.debug")
    assert strip.words[-2:] == ("/build/source/src/nat/m.ko", "m.ko")


def dkms(folder: Path, monkeypatch: pytest.MonkeyPatch, conf: str, given: Source) -> list[str]:
    """The commands for a dkms.conf, without the two that make dkms's own folder."""
    monkeypatch.setattr(drivers, "SOURCE", folder)
    (folder / given.directory).mkdir(exist_ok=True)
    (folder / given.directory / "dkms.conf").write_text(CONF + conf)
    first, second, *rest = driver_commands(given, KERNEL)
    place = folder / given.directory
    assert first.words == ("mkdir", "-p", "/build/dkms/odd/1.0")
    assert second.words == ("ln", "-sfn", str(place), "/build/dkms/odd/1.0/build")
    assert {command.cwd for command in rest} == {place}
    return [" ".join(command.words[3:] if command.words[0] == "env" else command.words) for command in rest]


def test_dkms_in_dkms_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = 'MAKE="make one && make two"\nPATCH=a.patch\n'
    conf += 'PRE_BUILD="./configure -x"\nPOST_BUILD=after\nBUILT_MODULE_NAME=m\n'
    assert dkms(tmp_path, monkeypatch, conf, source("dkms")) == [
        "patch -p1 -i patches/a.patch",
        "-c ././configure -x",
        f"-c make KERNELRELEASE={KERNEL.release} one && make two",
        "-c ./after",
    ]


def test_dkms_without_make_and_with_a_quoted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = f"-c make KERNELRELEASE={KERNEL.release} -C {KERNEL.build_dir} M={tmp_path}"
    assert dkms(tmp_path, monkeypatch, "BUILT_MODULE_NAME=m\n", source("dkms")) == [default]
    quoted = "MAKE=\"'make' all\"\nBUILT_MODULE_NAME=m\n"
    assert dkms(tmp_path, monkeypatch, quoted, source("dkms")) == ["-c 'make' all"]


def test_dkms_in_a_folder_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = source("dkms", ("sub/src/m",), directory="sub")
    conf = "MAKE=make\nBUILT_MODULE_NAME=m\nBUILT_MODULE_LOCATION=src\n"
    assert len(dkms(tmp_path, monkeypatch, conf, given)) == 1
    assert links(given, KERNEL) == {"/build/dkms/odd/1.0/build": str(tmp_path / "sub")}


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        (
            "BUILT_MODULE_NAME[0]=n\nBUILT_MODULE_NAME[1]=o\n",
            "//x:y: dkms.conf doesn't build m; it builds: n, o; correct `modules`",
        ),
        (
            "BUILD_EXCLUSIVE_KERNEL=^5\n",
            "//x:y: its dkms.conf is not for kernel 6.1.0-56-amd64: BUILD_EXCLUSIVE_KERNEL=^5",
        ),
    ],
)
def test_dkms_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conf: str, said: str) -> None:
    with pytest.raises(UserError) as raised:
        dkms(tmp_path, monkeypatch, conf, source("dkms"))
    assert said in str(raised.value)


@pytest.mark.skipif(not shutil.which("make"), reason="no make on this machine")
def test_every_make_gets_the_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the second one of a MAKE, and one that a Makefile starts; as words of its command line."""
    text = "NAME = own\nall: ; @printf '%s|' '$(NAME)' '$(CC)'; [ -n '$(SUB)' ] || $(MAKE) SUB=1\n"
    (tmp_path / "Makefile").write_text(text)
    monkeypatch.setattr(drivers, "SOURCE", tmp_path)
    (tmp_path / "dkms.conf").write_text(CONF + 'MAKE="make -s && make -s"\nBUILT_MODULE_NAME=m\n')
    command = driver_commands(source("dkms", NAME="a $(CC)\\d"), KERNEL)[-1]
    done = subprocess.run(command.words, cwd=command.cwd, capture_output=True, text=True, check=True)
    assert done.stdout.replace("a gcc-12\\d|gcc-12|", "+") == "++++", done.stdout
