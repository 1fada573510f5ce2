"""Build a module source for one kernel; runs inside the kernel's root.

Leaves in /out: each module and its .debug, Module.symvers, compile_commands.json, build.log.
With --shell it only prepares the tree, prints the commands to type, and starts a shell.
"""

import argparse
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.kernels import compile_commands
from tools.kernels.drivers import Kernel, driver_commands, links, split_commands
from tools.kernels.execute import build_environment, run_command
from tools.kernels.messages import failure_text, missing_c_file, shown_folders
from tools.kernels.objects import WHOLE, Objects, changed, digests, without_skew
from tools.kernels.patch_source import apply_patches
from tools.kernels.source import SOURCE, Source
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

OUT = Path("/out")


def merged_symvers(tree: Path, modules: Sequence[str]) -> str:
    """What `modules` export: the Module.symvers of each folder below `tree` as one, sorted by symbol.

    A module that the tree builds and nobody ships isn't there to be loaded: its symbols don't count.
    """
    shipped = {Path(module).name for module in modules}
    found = {line for path in tree.rglob("Module.symvers") for line in path.read_text().splitlines() if line}
    lines = [line for line in found if Path(line.split("\t")[2]).name in shipped]
    return "".join(f"{line}\n" for line in sorted(lines, key=lambda line: line.split("\t")[1:]))


def _run_driver(source: Source, kernel: Kernel, log: Path, shown: Mapping[str, str]) -> None:
    """Run the driver's commands. Raises UserError with the compiler's own words when one fails."""
    for command in driver_commands(source, kernel):
        if code := run_command(command, log):
            said = log.read_text(errors="replace")
            if missing := missing_c_file(said, source, shown, kernel.release):
                raise UserError(missing)
            text = failure_text(said, shown)
            raise UserError(f"{source.label} doesn't build for kernel {kernel.release} (exit code {code}):\n{text}")


def _build_with_objects(objects: Objects, source: Source, kernel: Kernel, log: Path, shown: Mapping[str, str]) -> str:
    """Run the driver's commands with the objects in place; without them, if they were compiled of other files.

    Returns what the build's log says of the objects.
    """
    pristine = SOURCE.with_name("pristine")
    shutil.copytree(SOURCE, pristine, symlinks=True)
    before = digests(SOURCE)
    objects.place(SOURCE)
    with log.open("a") as stream:
        stream.write(objects.log)
    _run_driver(source, kernel, log, shown)
    note = objects.note()
    if objects.planned and (others := changed(before, objects.generated(), digests(SOURCE))):
        note = f"{WHOLE}the build changes what its objects are compiled of: {', '.join(others)}\n"
        shutil.rmtree(SOURCE)
        pristine.rename(SOURCE)
        _run_driver(source, kernel, log, shown)
    log.write_bytes(without_skew(log.read_bytes()))
    return note


def build(source: Source, kernel: Kernel, objects: Objects | str) -> None:
    """Patch, build, split. `objects` is, for a source that is built as a whole, the reason.

    Raises UserError with the compiler's own words when the build fails.
    """
    log = OUT / "build.log"
    log.touch()
    apply_patches(source, kernel, log)
    other_names = links(source, kernel)
    shown = shown_folders(source, other_names)
    if isinstance(objects, Objects):
        note = _build_with_objects(objects, source, kernel, log, shown)
    else:
        note = f"{WHOLE}{objects}\n"
        _run_driver(source, kernel, log, shown)
    for module in source.modules:
        if not (SOURCE / f"{module}.ko").is_file():
            made = sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.ko"))
            raise UserError(
                f"{source.label}: the build for kernel {kernel.release} left no {module}.ko; it made: "
                f"{', '.join(made) or 'no module'}; correct `modules`"
            )
    for command in split_commands(source, OUT):
        if run_command(command, log):
            raise UserError(failure_text(log.read_text(errors="replace"), shown))
    write_atomically(log, note.encode() + log.read_bytes())
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
        return subprocess.run(words, cwd=SOURCE, env=build_environment(), check=False).returncode
    print(f"Root of kernel {kernel.release}: headers in {kernel.build_dir}, sources in {SOURCE}.")
    print("Type these, or run: sh -x /build/build.sh; the modules are then in /out.\n")
    print("\n".join(f"  {command}" for command in commands) + "\n", flush=True)
    prompt = {"PS1": "forge:\\w\\$ "}
    variables = build_environment() | prompt
    return subprocess.run(["bash", "--norc", "-i"], cwd=SOURCE, env=variables, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="build_module", description=__doc__)
    parser.add_argument("--kernel", type=Path, required=True, help="kernel.json")
    parser.add_argument("--source", type=Path, required=True, help="the source's description")
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--extra-symvers", action="append", default=[], help="Module.symvers of a dependency")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--objects", type=Path, help="a folder with what actions of their own compiled")
    how.add_argument("--whole", metavar="REASON", help="compile everything here; why, for the log")
    how.add_argument("--shell", action="store_true")
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
    build(source, kernel, Objects(options.objects) if options.objects else options.whole)
    return 0


if __name__ == "__main__":
    run(main)
