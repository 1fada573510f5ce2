"""Write docs/reference from the Starlark sources; with --check only say whether it is up to date."""

import argparse
import difflib
import os
from collections.abc import Sequence
from pathlib import Path

from tools.docs.starlark_reference import reference
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

DOMAINS = ("containers", "farm", "kernels", "packages", "roots", "tests", "tools/c", "tools/python")


def pages(workspace: Path) -> dict[Path, str]:
    """The path and the text of every reference page."""
    folder = workspace / "docs/reference"
    return {
        folder / f"{domain.replace('/', '_')}.md": reference(workspace / domain / "defs.bzl", workspace)
        for domain in DOMAINS
    }


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="docs", description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--workspace", type=Path, default=Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")))
    options = parser.parse_args(arguments)
    for path, text in pages(options.workspace).items():
        written = path.read_text() if path.exists() else ""
        if options.check and written != text:
            sides = (written.splitlines(), text.splitlines())
            changes = difflib.unified_diff(*sides, "committed", "from the sources", lineterm="")
            raise UserError("\n".join([f"{path}: stale; run: ./bazelw run //docs:update", *changes]))
        if written != text:
            write_atomically(path, text)
    return 0


if __name__ == "__main__":
    run(main)
