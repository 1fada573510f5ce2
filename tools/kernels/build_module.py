"""Build a module source for one kernel; runs inside the kernel's root.

Leaves in /out: each module and its .debug, Module.symvers, compile_commands.json, build.log.
With --shell it only prepares the tree, prints the commands to type, and starts a shell.
"""

import argparse
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.kernels import compile_commands
from tools.kernels.drivers import (
    SOURCE,
    Command,
    Kernel,
    driver_commands,
    environment,
    links,
    patch_commands,
    split_commands,
)
from tools.kernels.source import Source
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically
from tools.roots.clock import clock_environment

OUT = Path("/out")
_SHOWN_LINES = 60
_ENTERING = re.compile(r"make(?:\[\d+\])?: Entering directory '(.*)'$")
_LEAVING = re.compile(r"make(?:\[\d+\])?: Leaving directory ")
# What stands before a path that isn't absolute, in a message of the compiler.
_RELATIVE = re.compile(r"(?:In file included from |\s+from )?(?=[\w.][\w./+-]*\.[chS]:)")
_ERROR_LINE = re.compile(r"(: (fatal )?error[: ]|^ERROR: |\*\*\* |^scons: \*\*\*|undefined reference)")


def user_paths(log: str, shown: Mapping[str, str]) -> list[str]:
    """The lines of a log with the source's files named as the user knows them.

    `shown` are the source's folders in the root, each with the user's name for it. A file's path
    may be relative to the folder that make last said it is in (kbuild, since line 6.13).
    """
    lines, inside = [], [""]
    for line in log.splitlines():
        if entering := _ENTERING.match(line):
            inside.append(f"{entering[1]}/")
        elif _LEAVING.match(line) and len(inside) > 1:
            inside.pop()
        elif (relative := _RELATIVE.match(line)) and inside[-1].startswith(tuple(f"{folder}/" for folder in shown)):
            line = f"{relative[0]}{inside[-1]}{line[relative.end() :]}"
        for folder, name in shown.items():
            line = line.replace(f"{folder}/", f"{name}/" if name else "")
        lines.append(line)
    return lines


def failure_text(log: str, shown: Mapping[str, str]) -> str:
    """The log of a failed build for a person: the compiler's errors first, then the end of the log."""
    lines = user_paths(log, shown)
    errors = [line for line in lines if _ERROR_LINE.search(line)]
    tail = lines[-_SHOWN_LINES:]
    return "\n".join([*errors[:_SHOWN_LINES], "", f"--- the log's last {len(tail)} lines ---", *tail])


def shown_folders(source: Source, links: Mapping[str, str]) -> dict[str, str]:
    """What the user calls the source's root, and the folders that the build has by another name."""
    shown = {str(SOURCE): source.display}
    for link, folder in links.items():
        shown[link] = "/".join(part for part in (source.display, folder[len(str(SOURCE)) + 1 :]) if part)
    return shown


def merged_symvers(tree: Path, modules: Sequence[str]) -> str:
    """What `modules` export: the Module.symvers of each folder below `tree` as one, sorted by symbol.

    A module that the tree builds and nobody ships isn't there to be loaded: its symbols don't count.
    """
    shipped = {Path(module).name for module in modules}
    found = {line for path in tree.rglob("Module.symvers") for line in path.read_text().splitlines() if line}
    lines = [line for line in found if Path(line.split("\t")[2]).name in shipped]
    return "".join(f"{line}\n" for line in sorted(lines, key=lambda line: line.split("\t")[1:]))


def _environment() -> dict[str, str]:
    return {**os.environ, **clock_environment(Path("/")), **environment()}


def _run(command: Command, log: Path) -> int:
    with log.open("ab") as stream:
        stream.write(f"+ {command}\n".encode())
        stream.flush()
        try:
            return subprocess.run(
                command.words,
                cwd=command.cwd,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
        except FileNotFoundError as error:
            raise UserError(
                f"the root has no program {command.words[0]!r}: add its package to the root's YAML, or name an "
                "extra that has it in the source's root_extras"
            ) from error


def apply_patches(source: Source, kernel: Kernel, log: Path) -> None:
    """Apply the patches for this kernel. Raises UserError with what patch(1) said."""
    names = {patch.path: patch.name for patch in source.patches}
    for command in patch_commands(source, kernel):
        mark = log.stat().st_size if log.exists() else 0
        if _run(command, log):
            said = log.read_text(errors="replace")[mark:].split("\n", 1)[1]
            raise UserError(
                f"{names[command.words[-1]]}: the patch doesn't apply to {source.label} for kernel {kernel.release}; "
                f"mend it, or narrow its range of kernels. patch(1) said:\n{said.rstrip()}"
            )


def build(source: Source, kernel: Kernel) -> None:
    """Patch, build, split. Raises UserError with the compiler's own words when the build fails."""
    log = OUT / "build.log"
    log.touch()
    apply_patches(source, kernel, log)
    commands = driver_commands(source, kernel)
    other_names = links(source, kernel)
    shown = shown_folders(source, other_names)
    for command in commands:
        if code := _run(command, log):
            text = failure_text(log.read_text(errors="replace"), shown)
            raise UserError(f"{source.label} doesn't build for kernel {kernel.release} (exit code {code}):\n{text}")
    for module in source.modules:
        if not (SOURCE / f"{module}.ko").is_file():
            made = sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.ko"))
            raise UserError(
                f"{source.label}: the build for kernel {kernel.release} left no {module}.ko; it made: "
                f"{', '.join(made) or 'no module'}; correct `modules`"
            )
    for command in split_commands(source, OUT):
        if _run(command, log):
            raise UserError(failure_text(log.read_text(errors="replace"), shown))
    write_atomically(OUT / "Module.symvers", merged_symvers(SOURCE, source.modules))
    entries = compile_commands.compile_commands(
        SOURCE, kernel.build_dir, {str(SOURCE): source.display or "."}, other_names
    )
    write_atomically(OUT / "compile_commands.json", json.dumps(entries, indent=2) + "\n")


def shell(source: Source, kernel: Kernel, words: Sequence[str]) -> int:
    """Prepare the tree as `build` does, say what to type, and start a shell (or run `words`)."""
    log = Path("/tmp/prepare.log")
    log.touch()
    apply_patches(source, kernel, log)
    commands = [str(command) for command in [*driver_commands(source, kernel), *split_commands(source, OUT)]]
    Path("/build/build.sh").write_text("set -e\n" + "\n".join(f"({command})" for command in commands) + "\n")
    if words:
        return subprocess.run(words, cwd=SOURCE, env=_environment(), check=False).returncode
    print(f"Root of kernel {kernel.release}: headers in {kernel.build_dir}, sources in {SOURCE}.")
    print("Type these, or run: sh -x /build/build.sh; the modules are then in /out.\n")
    print("\n".join(f"  {command}" for command in commands) + "\n", flush=True)
    prompt = {"PS1": "forge:\\w\\$ "}
    return subprocess.run(["bash", "--norc", "-i"], cwd=SOURCE, env=_environment() | prompt, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="build_module", description=__doc__)
    parser.add_argument("--kernel", type=Path, required=True, help="kernel.json")
    parser.add_argument("--source", type=Path, required=True, help="the source's description")
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--extra-symvers", action="append", default=[], help="Module.symvers of a dependency")
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="with --shell: run this instead of a shell")
    options = parser.parse_args(arguments)
    facts = json.loads(options.kernel.read_text())
    kernel = Kernel(facts["release"], "/" + facts["build_dir"].lstrip("/"), options.compiler)
    source = Source.read(options.source)
    if options.extra_symvers:
        # make takes it from the environment (Documentation/kbuild/modules.rst, "Symbols From Another External Module").
        os.environ["KBUILD_EXTRA_SYMBOLS"] = " ".join(options.extra_symvers)
    if options.shell:
        return shell(source, kernel, options.words)
    build(source, kernel)
    return 0


if __name__ == "__main__":
    run(main)
