"""How each kind of module source is built: its driver turns it into plain commands.

Commands are the same for a Bazel action and for a person in the shell of the kernel's root.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.kernels.dkms_conf import read_dkms_conf
from tools.kernels.source import SOURCE, Source, in_range
from tools.lib.errors import UserError

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


def kbuild(source: Source, kernel: Kernel, more: Sequence[str]) -> list[Command]:
    """An external module tree (Documentation/kbuild/modules.rst)."""
    folder = SOURCE / source.directory
    return [Command((*_kbuild_words(kernel, folder), *_variables(source, kernel), *more, "modules"), folder)]


def scons(source: Source, kernel: Kernel, more: Sequence[str]) -> list[Command]:
    """An SCons workspace whose SConstruct makes the module, given the kernel's headers."""
    targets = [f"{module}.ko" for module in source.modules]
    words = ("scons", "-Q", f"--kernel-dir={kernel.build_dir}", *_variables(source, kernel), *more, *targets)
    return [Command(words, SOURCE / source.directory)]


def _makeflags(words: Sequence[str]) -> str:
    """Command-line variables as $MAKEFLAGS has them: every make that the command starts gets them."""
    escaped = (re.sub(r"([\\\s])", r"\\\1", word.replace("$", "$$")) for word in words)
    return f" -- {' '.join(escaped)}"


def dkms(source: Source, kernel: Kernel, more: Sequence[str]) -> list[Command]:
    """A DKMS tree: the directives of dkms.conf for one build, without dkms's own bookkeeping.

    dkms itself isn't used: it would strip and sign what it builds before debug data are split.
    Raises UserError when dkms.conf leaves this kernel out, or builds other modules.
    """
    folder = SOURCE / source.directory
    conf = read_dkms_conf(folder, kernel.release, kernel.build_dir)
    if conf.refusals:
        raise UserError(
            f"{source.label}: its dkms.conf is not for kernel {kernel.release}: {', '.join(conf.refusals)}; "
            "leave this kernel out"
        )
    built = {str(Path(source.directory, module)) for module in conf.modules}
    if missing := sorted({str(Path(module)) for module in source.modules} - built):
        raise UserError(
            f"{source.label}: dkms.conf doesn't build {', '.join(missing)}; it builds: {', '.join(sorted(built))}; "
            "correct `modules`"
        )
    variables = [f"CC={kernel.compiler}", _NO_BTF, *_variables(source, kernel), *more]

    def shell(text: str) -> Command:
        return Command(("env", f"MAKEFLAGS={_makeflags(variables)}", "bash", "-c", text), folder)

    commands = [
        Command(("mkdir", "-p", str(conf.build_link.parent)), folder),
        Command(("ln", "-sfn", str(folder), str(conf.build_link)), folder),
    ]
    commands += [Command(("patch", "-p1", "-i", f"patches/{patch}"), folder) for patch in conf.patches]
    if conf.pre_build:
        commands.append(shell(f"./{conf.pre_build}"))
    make = conf.make or shlex.join(["make", "-C", kernel.build_dir, f"M={folder}"])
    # dkms(8): a MAKE that begins with make is given the kernel that it is for.
    commands.append(shell(re.sub(r"^make\b", f"make KERNELRELEASE={kernel.release}", make)))
    if conf.post_build:
        commands.append(shell(f"./{conf.post_build}"))
    return commands


def links(source: Source, kernel: Kernel) -> dict[str, str]:
    """Folders of the source that the driver's commands know by another name: that name to the folder."""
    folder = SOURCE / source.directory
    if source.driver != "dkms":
        return {}
    return {str(read_dkms_conf(folder, kernel.release, kernel.build_dir).build_link): str(folder)}


_DRIVERS = {"kbuild": kbuild, "dkms": dkms, "scons": scons}


def patch_commands(source: Source, kernel: Kernel) -> list[Command]:
    """Apply the patches that are for this kernel's line, in the order of the source."""
    return [
        Command(("patch", "-p1", "--no-backup-if-mismatch", "-i", patch.path), SOURCE)
        for patch in source.patches
        if in_range(kernel.release, patch.kernels)
    ]


def driver_commands(source: Source, kernel: Kernel, more: Sequence[str] = ()) -> list[Command]:
    """The commands of the source's driver, in order; patches come before.

    `more` are further NAME=VALUE words for make or scons.
    """
    return _DRIVERS[source.driver](source, kernel, more)


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
