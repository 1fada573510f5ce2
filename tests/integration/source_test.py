"""VROUTER_SOURCE: checkouts that know nothing of Bazel, their drivers, edits of them, and what goes wrong."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.workspace import Result, Workspace

KERNEL = os.environ["KERNEL"]

# The description says which files the compiler saw.
MODULE_C = """
#include <linux/module.h>
#if __has_include("extra.h")
#include "extra.h"
#else
#define EXTRA "plain"
#endif
MODULE_DESCRIPTION(EXTRA);
MODULE_LICENSE("GPL");
"""
MAKEFILE = "obj-m += sample.o\nsample-y := \\\n  main.o\n"
DKMS_CONF = """
PACKAGE_NAME="sample"
PACKAGE_VERSION="1.0"
BUILT_MODULE_NAME[0]="sample"
BUILT_MODULE_LOCATION[0]="src"
DEST_MODULE_LOCATION[0]="/updates"
MAKE[0]="make -C ${kernel_source_dir} M=${dkms_tree}/${PACKAGE_NAME}/${PACKAGE_VERSION}/build/src modules"
"""
SCONSTRUCT = """
AddOption("--kernel-dir", dest="kernel_dir", type="string", nargs=1, action="store")
generator = Program("tool/describe", "tool/describe.cc")
header = Command("vrouter/extra.h", generator, "$SOURCE > $TARGET")
Command(
    "vrouter/vrouter.ko",
    ["vrouter/main.c", "vrouter/Makefile", header],
    "make -C %s M=${TARGET.dir.abspath} modules" % GetOption("kernel_dir"),
)
"""
# How the build log starts for a source of one C file.
OBJECTS = "Objects compiled by actions of their own: 1 of 1."
DESCRIBE_CC = """
#include <iostream>
int main() { std::cout << "#define EXTRA \\"generated\\"\\n"; }
"""


class Checkout:
    """A folder of the user's, built by its path alone."""

    def __init__(self, workspace: Workspace, folder: Path, files: Mapping[str, str]) -> None:
        self.workspace = workspace
        self.folder = folder
        for name, content in files.items():
            self.write(name, content)

    def write(self, name: str, content: str) -> None:
        """Write a file of the checkout."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def build(self, *options: str) -> Result:
        """Build it for KERNEL."""
        return self.workspace.bazel(
            "build", f"--repo_env=VROUTER_SOURCE={self.folder}", *options, f"//kernels:{KERNEL}"
        )

    def built_description(self, module: str = "sample", *options: str) -> str:
        """Build, which must succeed; what the module says of itself."""
        result = self.build(*options)
        assert result.code == 0, result.err
        (modinfo,) = json.loads(self.workspace.output(f"kernels/{KERNEL}/modinfo.json").read_text())["modules"]
        assert modinfo["name"] == module
        (description,) = modinfo["modinfo"]["description"]
        return str(description)

    def how(self) -> str:
        """The first line of the build log: objects by actions of their own, or a whole, and why."""
        return self.workspace.output(f"kernels/{KERNEL}/build.log").read_text().splitlines()[0]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace and server for all the tests here."""
    yield Workspace(tmp_path_factory.mktemp("sources"))


def message(result: Result) -> str:
    """The one message of a failed fetch of the checkout."""
    assert result.code == 1
    return next(line for line in result.err.splitlines() if line.startswith("Error in fail: "))


@pytest.fixture(params=["/tmp", "/dev/shm"])
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder below /tmp, which a sandbox of Bazel doesn't see, and one elsewhere that this test may write."""
    with tempfile.TemporaryDirectory(dir=request.param) as name:
        yield Path(name)


def test_makefile_tree_and_edits_of_it(workspace: Workspace, folder: Path) -> None:
    files = {"Makefile": MAKEFILE, "main.c": MODULE_C, "Übersicht.txt": "notes\n"}
    checkout = Checkout(workspace, folder / "my sources", files)
    assert checkout.built_description() == "plain"
    assert checkout.how() == OBJECTS
    checkout.write("main.c", MODULE_C.replace("plain", "edited"))
    assert checkout.built_description() == "edited"
    checkout.write("extra.h", '#define EXTRA "new file"\n')
    assert checkout.built_description() == "new file"
    (checkout.folder / "extra.h").unlink()
    assert checkout.built_description() == "edited"
    checkout.write("Makefile", MAKEFILE.replace("sample", "renamed"))
    assert checkout.built_description("renamed") == "edited"


def test_driver_that_changes(workspace: Workspace, tmp_path: Path) -> None:
    checkout = Checkout(workspace, tmp_path, {"src/Makefile": MAKEFILE, "src/main.c": MODULE_C})
    checkout.write("Kbuild", "obj-m := other.o\nother-y := src/main.o\n")
    assert checkout.built_description("other") == "plain"
    checkout.write("dkms.conf", DKMS_CONF)
    assert checkout.built_description("sample") == "plain"
    assert checkout.how() == OBJECTS


def test_scons_workspace(workspace: Workspace, tmp_path: Path) -> None:
    checkout = Checkout(
        workspace,
        tmp_path,
        {
            "SConstruct": SCONSTRUCT,
            "tool/describe.cc": DESCRIBE_CC,
            "vrouter/Makefile": MAKEFILE.replace("sample", "vrouter"),
            "vrouter/main.c": MODULE_C,
        },
    )
    assert checkout.built_description("vrouter") == "generated"
    assert checkout.how() == "Built as a whole: the driver scons can't be asked for a plan; dkms and kbuild can"


def test_what_is_no_source_is_left_alone(workspace: Workspace, tmp_path: Path) -> None:
    checkout = Checkout(workspace, tmp_path, {"Makefile": MAKEFILE, "main.c": MODULE_C})
    # Of a build by hand for another kernel: must not be linked again.
    checkout.write("main.o", "not an object")
    checkout.write(".main.o.cmd", "savedcmd_main.o := true\n")
    checkout.write("Module.symvers", "not a symbol\n")
    checkout.write("sample.mod.c", "not C")
    # Of a project that has a Bazel of its own, and of a person.
    checkout.write("BUILD.bazel", "not Starlark(")
    checkout.write("doc/BUILD", "not Starlark(")
    checkout.write("doc/lies mich%.txt", "")
    (checkout.folder / "dangling").symlink_to("nowhere")
    (checkout.folder / "doc/loop").symlink_to("..")
    assert checkout.built_description() == "plain"


def test_module_that_does_not_compile(workspace: Workspace, tmp_path: Path) -> None:
    broken = MODULE_C + "int broken(void)\n{\n\treturn undeclared;\n}\n"
    checkout = Checkout(workspace, tmp_path, {"Makefile": MAKEFILE.replace("sample", "broken"), "main.c": broken})
    result = checkout.build()
    assert result.code == 1
    lines = result.err.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("error: "))
    assert f"doesn't build for kernel {KERNEL}" in lines[start]
    number = broken.splitlines().index("\treturn undeclared;") + 1
    (said,) = [line for line in lines[start:] if line.startswith(f"VROUTER_SOURCE/main.c:{number}:16: error: ")]
    assert "undeclared" in said
    assert "Traceback" not in result.err
    assert not list(workspace.output(f"kernels/{KERNEL}").glob("broken*"))


def test_module_names_that_make_computes(workspace: Workspace, tmp_path: Path) -> None:
    makefile = "NAME := sample\nobj-m := $(NAME).o\nsample-y := main.o\n"
    checkout = Checkout(workspace, tmp_path, {"Makefile": makefile, "main.c": MODULE_C})
    assert "--repo_env=VROUTER_MODULES=" in message(checkout.build())
    assert checkout.built_description("sample", "--repo_env=VROUTER_MODULES=sample") == "plain"


def test_no_recognisable_driver(workspace: Workspace, tmp_path: Path) -> None:
    text = message(Checkout(workspace, tmp_path, {"README": "", "src/main.c": ""}).build())
    assert f"VROUTER_SOURCE={tmp_path}: no driver recognised" in text
    for wanted in ("Makefile", "Kbuild", "dkms.conf", "SConstruct", "it has: README, src"):
        assert wanted in text


@pytest.mark.parametrize("setting", ["vrouter/checkout", "/nonexistent/checkout", "{folder}/file"])
def test_setting_that_is_no_folder(workspace: Workspace, tmp_path: Path, setting: str) -> None:
    (tmp_path / "file").touch()
    setting = setting.format(folder=tmp_path)
    result = workspace.bazel("build", f"--repo_env=VROUTER_SOURCE={setting}", f"//kernels:{KERNEL}")
    assert f"VROUTER_SOURCE={setting}: expected the absolute path of a folder" in message(result)
