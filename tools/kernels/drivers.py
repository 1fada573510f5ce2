"""How each kind of module source is built: its driver turns it into plain commands.

Commands are the same for a Bazel action and for a person in the shell of the kernel's root.
"""

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.kernels.source import Source, in_range
from tools.lib.errors import UserError

SOURCE = Path("/build/source")
# kbuild bakes who, where and when into some objects (Documentation/kbuild/reproducible-builds.rst).
_IDENTITY = {
    "KBUILD_BUILD_TIMESTAMP": "2025-01-01",
    "KBUILD_BUILD_USER": "forge",
    "KBUILD_BUILD_HOST": "forge",
}
# Some headers carry vmlinux and some don't: a module's BTF would depend on that, so none has it.
_NO_BTF = "CONFIG_DEBUG_INFO_BTF_MODULES="


@dataclass(frozen=True)
class Kernel:
    """The kernel to build for: its release, its build folder in the root, its compiler ("gcc-12")."""

    release: str
    build_dir: str
    compiler: str


@dataclass(frozen=True)
class Command:
    """One command: its words and the folder it runs in."""

    words: tuple[str, ...]
    cwd: Path

    def __str__(self) -> str:
        return f"cd {shlex.quote(str(self.cwd))} && {shlex.join(self.words)}"


def environment() -> Mapping[str, str]:
    """What the drivers' commands find in their environment, besides the root's own."""
    return _IDENTITY


def _variables(source: Source, kernel: Kernel) -> list[str]:
    """NAME=VALUE words, with the kernel's facts filled in."""
    facts = {"{release}": kernel.release, "{build_dir}": kernel.build_dir}
    words = []
    for name, value in sorted(source.make_vars.items()):
        for placeholder, fact in facts.items():
            value = value.replace(placeholder, fact)
        words.append(f"{name}={value}")
    return words


def _kbuild_words(kernel: Kernel, folder: Path) -> list[str]:
    return ["make", "-C", kernel.build_dir, f"M={folder}", f"CC={kernel.compiler}", _NO_BTF]


def kbuild(source: Source, kernel: Kernel) -> list[Command]:
    """An external module tree (Documentation/kbuild/modules.rst)."""
    folder = SOURCE / source.directory
    return [Command((*_kbuild_words(kernel, folder), *_variables(source, kernel), "modules"), folder)]


def scons(source: Source, kernel: Kernel) -> list[Command]:
    """An SCons workspace whose SConstruct makes the module, given the kernel's headers."""
    targets = [f"{module}.ko" for module in source.modules]
    words = ("scons", "-Q", f"--kernel-dir={kernel.build_dir}", *_variables(source, kernel), *targets)
    return [Command(words, SOURCE / source.directory)]


# dkms.conf is a bash script that dkms(8) sources; only bash can say what it means.
_READ_DKMS = r"""
set -u; shopt -s extglob
declare -A empty=()
MAKE=() PATCH=() PATCH_MATCH=() MAKE_MATCH=() BUILT_MODULE_NAME=() BUILT_MODULE_LOCATION=()
PRE_BUILD= POST_BUILD= BUILD_EXCLUSIVE_KERNEL= BUILD_EXCLUSIVE_KERNEL_MIN= BUILD_EXCLUSIVE_KERNEL_MAX=
BUILD_EXCLUSIVE_CONFIG= BUILD_EXCLUSIVE_ARCH=
set +u
. ./dkms.conf >&2 || exit
printf '%s\0' PACKAGE_NAME "$PACKAGE_NAME" PACKAGE_VERSION "$PACKAGE_VERSION" PRE_BUILD "$PRE_BUILD" \
    POST_BUILD "$POST_BUILD" BUILD_EXCLUSIVE_KERNEL "$BUILD_EXCLUSIVE_KERNEL"
for array in MAKE MAKE_MATCH PATCH PATCH_MATCH BUILT_MODULE_NAME BUILT_MODULE_LOCATION; do
    declare -n values=$array
    for index in "${!values[@]}"; do printf '%s\0' "$array[$index]" "${values[$index]}"; done
done
"""


def read_dkms(folder: Path, kernel: Kernel) -> dict[str, str]:
    """The directives of `folder`/dkms.conf (dkms(8)), arrays as "NAME[0]", for this kernel.

    Raises UserError when bash can't read it or it names no package.
    """
    variables = {
        "kernelver": kernel.release,
        "kernel_source_dir": kernel.build_dir,
        "dkms_tree": "/build/dkms",
        "source_tree": "/usr/src",
        "arch": "x86_64",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    }
    done = subprocess.run(
        ["bash", "-c", _READ_DKMS], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    words = done.stdout.split("\0")
    directives = dict(zip(words[0:-1:2], words[1::2], strict=False))
    if done.returncode or not directives.get("PACKAGE_NAME"):
        raise UserError(f"dkms.conf: expected PACKAGE_NAME and the directives of dkms(8): {done.stderr.strip()}")
    return directives


def _array(directives: Mapping[str, str], name: str) -> dict[int, str]:
    """The elements of one array directive by index."""
    found = {}
    for key, value in directives.items():
        if match := re.fullmatch(rf"{name}\[(\d+)\]", key):
            found[int(match[1])] = value
    return found


def _shell(text: str, folder: Path) -> Command:
    return Command(("bash", "-c", text), folder)


def dkms(source: Source, kernel: Kernel) -> list[Command]:
    """A DKMS tree: the directives of dkms.conf for one build, without dkms's own bookkeeping.

    dkms itself isn't used: it would strip and sign what it builds before debug data are split.
    """
    folder = SOURCE / source.directory
    directives = read_dkms(folder, kernel)
    exclusive = directives["BUILD_EXCLUSIVE_KERNEL"]
    if exclusive and not re.search(exclusive, kernel.release):
        raise UserError(
            f"{source.label}: its dkms.conf is only for kernels that match BUILD_EXCLUSIVE_KERNEL={exclusive!r}; "
            f"{kernel.release} doesn't: leave this kernel out"
        )
    locations = _array(directives, "BUILT_MODULE_LOCATION")
    names = _array(directives, "BUILT_MODULE_NAME") or {0: directives["PACKAGE_NAME"]}
    built = {str(Path(source.directory, locations.get(index, ""), name)) for index, name in names.items()}
    if missing := sorted({str(Path(module)) for module in source.modules} - built):
        raise UserError(
            f"{source.label}: dkms.conf doesn't build {', '.join(missing)}; it builds: {', '.join(sorted(built))}"
        )
    tree = Path("/build/dkms", directives["PACKAGE_NAME"], directives["PACKAGE_VERSION"])
    commands = [
        Command(("mkdir", "-p", str(tree)), folder),
        Command(("ln", "-sfn", str(folder), str(tree / "build")), folder),
    ]
    matches = _array(directives, "PATCH_MATCH")
    for index, patch in sorted(_array(directives, "PATCH").items()):
        if re.search(matches.get(index, ""), kernel.release):
            commands.append(Command(("patch", "-p1", "-i", f"patches/{patch}"), folder))
    if directives["PRE_BUILD"]:
        commands.append(_shell(f"./{directives['PRE_BUILD']}", folder))
    make_matches = _array(directives, "MAKE_MATCH")
    chosen = [
        text
        for index, text in sorted(_array(directives, "MAKE").items())
        if index == 0 or (index in make_matches and re.search(make_matches[index], kernel.release))
    ]
    extra = shlex.join([f"CC={kernel.compiler}", _NO_BTF, *_variables(source, kernel)])
    if chosen:
        text = re.sub(r"^'(.*)'$", r"\1", chosen[-1])
        # dkms(8): a MAKE that begins with make is given the kernel it is for.
        text = re.sub(r"^make\b", f"make KERNELRELEASE={kernel.release} {extra}", text)
        commands.append(_shell(text, folder))
    else:
        commands.append(Command((*_kbuild_words(kernel, folder), *_variables(source, kernel), "modules"), folder))
    if directives["POST_BUILD"]:
        commands.append(_shell(f"./{directives['POST_BUILD']}", folder))
    return commands


_DRIVERS = {"kbuild": kbuild, "dkms": dkms, "scons": scons}


def patch_commands(source: Source, kernel: Kernel) -> list[Command]:
    """Apply the patches that are for this kernel's line, in the order of the source."""
    return [
        Command(("patch", "-p1", "--no-backup-if-mismatch", "-i", patch.path), SOURCE)
        for patch in source.patches
        if in_range(kernel.release, patch.kernels)
    ]


def driver_commands(source: Source, kernel: Kernel) -> list[Command]:
    """The commands of the source's driver, in order; patches come before."""
    return _DRIVERS[source.driver](source, kernel)


def split_commands(source: Source, out: Path) -> list[Command]:
    """Part each module from its debug data, as distributions ship them (strip(1), "debuglink")."""
    commands = []
    for module in source.modules:
        built, name = f"{SOURCE / module}.ko", f"{Path(module).name}.ko"
        commands += [
            Command(("objcopy", "--only-keep-debug", built, f"{name}.debug"), out),
            Command(("objcopy", "--strip-debug", f"--add-gnu-debuglink={name}.debug", built, name), out),
        ]
    return commands
