"""Build every kernel of the catalogue and print what came of it: kernel, compiler, size, seconds.

Seconds are those of the kernel's actions (headers, plan, objects, link, gate) in Bazel's own profile of
the run; a kernel whose results were all there already has none.
"""

import argparse
import datetime
import gzip
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically
from tools.lib.markdown import table

# The progress messages of the rules, as the profile repeats them.
_MESSAGES = (
    re.compile(r"Collecting the headers of kernel (\S+)$"),
    re.compile(r"Planning \S+ for kernel (\S+)$"),
    re.compile(r"Compiling .+ of \S+ for kernel (\S+)$"),
    re.compile(r"Building \S+ for kernel (\S+)$"),
    re.compile(r"Checking that the modules of //kernels:(\S+) would load$"),
)


@dataclass(frozen=True)
class Row:
    """One kernel's result. `size` is in bytes, None if it wasn't built; `seconds` None if nothing ran."""

    release: str
    line: str
    flavour: str
    compiler: str
    size: int | None
    seconds: float | None
    note: str = ""


def action_seconds(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds by kernel release, from the events of a Bazel profile (Trace Event Format, times in µs)."""
    seconds: dict[str, float] = {}
    for event in events:
        if event.get("cat") != "action processing":
            continue
        for message in _MESSAGES:
            if found := message.match(event.get("name", "")):
                seconds[found[1]] = seconds.get(found[1], 0.0) + event["dur"] / 1e6
    return seconds


def table_of(rows: Sequence[Row]) -> str:
    """A Markdown table, also readable as plain text."""
    cells = [("kernel", "line", "flavour", "compiler", "bytes", "seconds", "")]
    for row in rows:
        size = "not built" if row.size is None else str(row.size)
        seconds = "cached" if row.seconds is None else f"{row.seconds:.1f}"
        cells.append((row.release, row.line, row.flavour, row.compiler, size, seconds, row.note))
    return table(cells)


def rows_of(kernels: Sequence[Mapping[str, Any]], outputs: Path, seconds: Mapping[str, float]) -> list[Row]:
    """The rows of all kernels; `outputs` is bazel-bin/kernels."""
    rows = []
    for kernel in kernels:
        release = kernel["release"]
        built = sorted((outputs / release).glob("*.ko"))
        missing = kernel.get("missing", [])
        rows.append(
            Row(
                release,
                kernel["line"],
                kernel["flavour"],
                kernel["compiler"],
                sum(module.stat().st_size for module in built) if built and not missing else None,
                seconds.get(release),
                "packages gone from the mirror" if missing else "",
            )
        )
    return rows


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="summary", description=__doc__)
    parser.add_argument("--write", type=Path, help="also write the table, with its date, to this file of the workspace")
    parser.add_argument("--workspace", type=Path, default=Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")))
    options, flags = parser.parse_known_args(arguments)
    workspace = options.workspace.resolve()
    bazelw = str(workspace / "bazelw")
    kernels = json.loads((workspace / "kernels/catalogue.json").read_text())["kernels"]
    with tempfile.TemporaryDirectory() as scratch:
        profile = Path(scratch, "profile.gz")
        start = time.monotonic()
        build = [bazelw, "build", f"--profile={profile}", "--slim_profile=false", *flags, "//kernels:all"]
        code = subprocess.run(build, cwd=workspace, check=False).returncode
        wall = time.monotonic() - start
        if not profile.exists():
            raise UserError("bazel build //kernels:all left no profile; its messages are above")
        with gzip.open(profile, "rt") as stream:
            seconds = action_seconds(json.load(stream)["traceEvents"])
    info = [bazelw, "info", *flags, "bazel-bin"]
    outputs = subprocess.run(info, cwd=workspace, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    rows = rows_of(kernels, Path(outputs, "kernels"), seconds)
    built = sum(row.size is not None for row in rows)
    text = table_of(rows)
    closing = f"{built} of {len(rows)} kernels built, {wall:.0f} s of wall time on {os.cpu_count()} cores."
    print(f"{text}\n{closing}")
    if options.write:
        date = datetime.datetime.now(datetime.UTC).date().isoformat()
        head = f"# `//kernels:all` on {date}\n\nMade by `./bazelw run //kernels:summary -- --write {options.write}`.\n"
        write_atomically(workspace / options.write, f"{head}\n{closing}\n\n{text}")
    return code


if __name__ == "__main__":
    run(main)
