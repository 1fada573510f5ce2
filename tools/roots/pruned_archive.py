"""Copy a tar without what some of its uses don't need."""

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.lib.cli import run
from tools.lib.errors import UserError


def prune(runtime: Path, archive: Path, output: Path, exclude: Sequence[str]) -> None:
    """Copy `archive` without the paths that match the shell patterns `exclude`, or lie below one that does.

    Raises UserError when it can't be read or written.
    """
    words = [f"{runtime}/bin/bsdtar", "-c", "-f", str(output), "--format=gnutar"]
    words += [word for pattern in exclude for word in ("--exclude", f"^./{pattern}")]
    done = subprocess.run([*words, f"@{archive}"], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        output.unlink(missing_ok=True)
        raise UserError(f"{archive.name}: cannot copy to {output}: {done.stderr.strip()}")


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="pruned_archive", description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--runtime", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("archive", type=Path)
    options = parser.parse_args(arguments)
    prune(options.runtime, options.archive, options.output, options.exclude)
    return 0


if __name__ == "__main__":
    run(main)
