"""Build a module source for one kernel; runs inside the kernel's root.

Leaves in /out: each module and its .debug, Module.symvers, compile_commands.json, build.log.
With --shell it only prepares the tree, prints the commands to type, and starts a shell.
"""

import argparse
import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.kernels import compile_commands
from tools.kernels.drivers import (
    SOURCE,
    Command,
    Kernel,
    driver_commands,
    environment,
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
_ERROR_LINE = re.compile(r"(: (fatal )?error[: ]|^ERROR: |\*\*\* |^scons: \*\*\*|undefined reference)")


def user_path(line: str, display: str) -> str:
    """A line of the log with the source's files named as the user knows them."""
    return line.replace(f"{SOURCE}/", f"{display}/" if display else "")


def failure_text(log: str, display: str) -> str:
    """The log of a failed build for a person: the compiler's errors first, then the end of the log."""
    lines = [user_path(line, display) for line in log.splitlines()]
    errors = [line for line in lines if _ERROR_LINE.search(line)]
    tail = lines[-_SHOWN_LINES:]
    return "\n".join([*errors[:_SHOWN_LINES], "", f"--- the log's last {len(tail)} lines ---", *tail])


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
    for command in driver_commands(source, kernel):
        if code := _run(command, log):
            text = failure_text(log.read_text(errors="replace"), source.display)
            raise UserError(f"{source.label} doesn't build for kernel {kernel.release} (exit code {code}):\n{text}")
    for module in source.modules:
        if not (SOURCE / f"{module}.ko").is_file():
            made = sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.ko"))
            raise UserError(
                f"{source.label}: the build for kernel {kernel.release} left no {module}.ko; it made: "
                f"{', '.join(made) or 'no module'}; correct `modules`"
            )
    for command in split_commands(source, OUT):
        if code := _run(command, log):
            raise UserError(failure_text(log.read_text(errors="replace"), source.display))
    symvers = SOURCE / source.directory / "Module.symvers"
    (OUT / "Module.symvers").write_bytes(symvers.read_bytes() if symvers.exists() else b"")
    entries = compile_commands.compile_commands(SOURCE, kernel.build_dir, {str(SOURCE): source.display or "."})
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
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="with --shell: run this instead of a shell")
    options = parser.parse_args(arguments)
    facts = json.loads(options.kernel.read_text())
    kernel = Kernel(facts["release"], "/" + facts["build_dir"].lstrip("/"), options.compiler)
    source = Source.read(options.source)
    if options.shell:
        return shell(source, kernel, options.words)
    build(source, kernel)
    return 0


if __name__ == "__main__":
    run(main)
