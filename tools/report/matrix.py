"""Turn the last results of //tests/kernels into one page and one JSON file.

For each kernel of the catalogue: was its module built, how large is it, how long did it take to
load and to boot, did traffic pass, and since when is it red. Writes matrix.html and matrix.json
into the output folder; the matrix.json that is there already is the history.
"""

import argparse
import datetime
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.kernels.catalogue import read_catalogue
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically
from tools.report.kernel_rows import STATES, Places, counts, matrix, read_history, to_json, with_copied_logs
from tools.report.matrix_page import matrix_html
from tools.report.matrix_table import matrix_markdown
from tools.report.skipped import skipped_kernels


def _folder(workspace: Path, name: str) -> Path:
    """Bazel's bazel-bin or bazel-testlogs: the link in the workspace, if it is the right one."""
    command = [str(workspace / "bazelw"), "info", name]
    done = subprocess.run(command, cwd=workspace, capture_output=True, check=False, text=True)
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        raise UserError(f"./bazelw info {name} failed in {workspace}: {said}")
    folder, link = Path(done.stdout.strip()), workspace / name
    return link if link.exists() and link.samefile(folder) else folder


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("matrix"), help="the folder to write to; default: matrix")
    parser.add_argument("--copy-logs", action="store_true", help="copy the logs beside the page, to publish the folder")
    parser.add_argument("--markdown", type=Path, help="also write a table to this file of the workspace, to keep it")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a kernel is red")
    parser.add_argument("--workspace", type=Path, default=Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")))
    options = parser.parse_args(arguments)
    workspace = options.workspace.resolve()
    out = workspace / options.out
    places = Places(_folder(workspace, "bazel-bin"), _folder(workspace, "bazel-testlogs"), out)
    kernels, _ = read_catalogue(workspace / "kernels")
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = matrix(
        kernels, read_history(out / "matrix.json"), places, now, lambda releases: skipped_kernels(workspace, releases)
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out}: cannot make the folder: {error.strerror}") from error
    if options.copy_logs:
        rows = with_copied_logs(rows, places)
    write_atomically(out / "matrix.html", matrix_html(rows, now))
    write_atomically(out / "matrix.json", to_json(rows, now))
    if options.markdown:
        write_atomically(workspace / options.markdown, matrix_markdown(rows, os.cpu_count() or 1))
    for row in rows:
        if row.state == "red":
            print(f"red since {row.red_since[:10]}: {row.release}: {row.note}")
    number = counts(rows)
    print(", ".join(f"{number[state]} {state}" for state in STATES) + f": {out / 'matrix.html'}")
    return 1 if options.check and number["red"] else 0


if __name__ == "__main__":
    run(main)
