"""Patch a module source for one kernel, and take the parts that its plan and its objects depend on; runs inside a root.

Leaves in /out: outline.tar and headers.tar (tools/kernels/parts.py), and each C file by its number, empty if the
patches delete it.
"""

import argparse
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from tools.kernels.drivers import Kernel, patch_commands
from tools.kernels.execute import run_command
from tools.kernels.parts import write_parts
from tools.kernels.source import SOURCE, Source
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.roots.clock import SOURCE_DATE_EPOCH

OUT = Path("/out")


def apply_patches(source: Source, kernel: Kernel, log: Path) -> None:
    """Apply the patches for this kernel. Raises UserError with what patch(1) said."""
    names = {patch.path: patch.name for patch in source.patches}
    for command in patch_commands(source, kernel):
        mark = log.stat().st_size if log.exists() else 0
        if run_command(command, log):
            said = log.read_text(errors="replace")[mark:].split("\n", 1)[1]
            raise UserError(
                f"{names[command.words[-1]]}: the patch doesn't apply to {source.label} for kernel {kernel.release}; "
                f"mend it, or narrow its range of kernels. patch(1) said:\n{said.rstrip()}"
            )


def _neutral(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The entry of an archive without who and when, which patch(1) changes."""
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = SOURCE_DATE_EPOCH, 0, 0, "", ""
    return entry


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="patch_source", description=__doc__)
    parser.add_argument("--kernel", type=Path, required=True, help="kernel.json")
    parser.add_argument("--source", type=Path, required=True, help="the source's description")
    parser.add_argument("c_files", nargs="*", help="the source's C files")
    options = parser.parse_args(arguments)
    facts = json.loads(options.kernel.read_text())
    kernel = Kernel(facts["release"], build_dir="", compiler="")
    apply_patches(Source.read(options.source), kernel, Path("/tmp/patch.log"))
    whole = Path("/tmp/source.tar")
    with tarfile.open(whole, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(SOURCE.iterdir()):
            archive.add(path, path.name, filter=_neutral)
    c_files = {name: OUT / str(number) for number, name in enumerate(options.c_files)}
    write_parts(whole, OUT / "outline.tar", OUT / "headers.tar", c_files)
    return 0


if __name__ == "__main__":
    run(main)
