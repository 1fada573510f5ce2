"""Time edits of a module with many objects against its full build, and that against plain make, in one run.

The module is synthetic (bench/synthetic.py). It is built by its path alone, for the newest kernel of some lines, in
an empty output base with the packages already fetched.
Baseline "loop": for each of the same kernels, dpkg-deb -x of the same packages, then `make -j2`
(bench/kernels.py). Baseline "full build": ours, of all objects.
With --catalogue also the whole catalogue with the reference module, in the workspace's own output base: what a build
costs in which nothing has changed, and a query.
"""

import argparse
import gzip
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.bazel import Bazel
from bench.kernels import loop, read_kernels, read_links
from bench.synthetic import write_module
from tools.lib.cli import run
from tools.lib.errors import UserError

_MODULE = "bench"
_OBJECT = "Compiling "


def newest(catalogue: Sequence[dict[str, object]], lines: Sequence[str]) -> list[dict[str, object]]:
    """The last kernel of the catalogue of each line, flavour amd64. Raises UserError when a line has none."""
    found = {
        str(kernel["line"]): kernel
        for kernel in catalogue
        if kernel["flavour"] == "amd64" and not kernel.get("missing")
    }
    if unknown := [line for line in lines if line not in found]:
        raise UserError(f"--lines: no kernel of {', '.join(unknown)}; the catalogue has: {', '.join(sorted(found))}")
    return [found[line] for line in lines]


def compiled(profile: Path) -> int:
    """How many objects a build compiled, by its profile (Trace Event Format)."""
    with gzip.open(profile, "rt") as stream:
        events = json.load(stream)["traceEvents"]
    actions = (event["name"] for event in events if event.get("cat") == "action processing")
    return len({name for name in actions if name.startswith(_OBJECT)})


class Builds:
    """Builds of the synthetic module in an output base of their own."""

    def __init__(self, scratch: Path, workspace: Path, targets: Sequence[str]) -> None:
        self.bazel = Bazel(workspace, scratch / "bazel")
        self.source = scratch / "source"
        self._targets = list(targets)
        self._profile = scratch / "profile.gz"

    def build(self, *words: str) -> float:
        """Build with these options; seconds of wall time."""
        return self.bazel.build(f"--repo_env=VROUTER_SOURCE={self.source}", *words, *self._targets)

    def measure(self) -> tuple[float, int]:
        """Build; seconds of wall time, and how many objects were compiled."""
        seconds = self.build(f"--profile={self._profile}", "--slim_profile=false")
        return seconds, compiled(self._profile)


def _timed(workspace: Path, *words: str) -> float:
    """Seconds of wall time of a Bazel command in the workspace's own output base."""
    start = time.monotonic()
    command = [str(workspace / "bazelw"), *words]
    if subprocess.run(command, cwd=workspace, stdout=subprocess.DEVNULL, check=False).returncode:
        raise UserError(f"{' '.join(command)}: failed; its messages are above")
    return time.monotonic() - start


def catalogue_rows(workspace: Path) -> list[tuple[str, float]]:
    """What is paid for the size of the catalogue, on a warm server; builds all first."""
    _timed(workspace, "build", "--show_result=0", "//kernels:all")
    nothing = min(_timed(workspace, "build", "--show_result=0", "//kernels:all") for _ in range(3))
    query = min(_timed(workspace, "query", "//kernels:all") for _ in range(3))
    return [("//kernels:all, nothing changed (bound 1.5 s)", nothing), ("query //kernels:all (bound 2 s)", query)]


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench/incremental", description=__doc__)
    parser.add_argument("--lines", nargs="+", default=["5.10", "6.1", "6.12", "7.3"], help="kernel lines")
    parser.add_argument("--objects", type=int, default=48)
    parser.add_argument("--catalogue", action="store_true", help="also measure the whole catalogue")
    parser.add_argument("--workspace", type=Path, default=Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")))
    options = parser.parse_args(arguments)
    workspace = options.workspace.resolve()
    chosen = newest(json.loads((workspace / "kernels/catalogue.json").read_text())["kernels"], options.lines)
    count = len(chosen)
    with tempfile.TemporaryDirectory(prefix="forge-bench.", dir="/var/tmp") as folder:
        scratch = Path(folder)
        builds = Builds(scratch, workspace, [f"//kernels:{kernel['release']}" for kernel in chosen])
        try:
            write_module(builds.source, _MODULE, options.objects)
            builds.build("--nobuild")
            kernels = read_kernels(builds.bazel, chosen)
            full, full_objects = builds.measure()
            edited = builds.source / "object_0.c"
            edited.write_text(edited.read_text().replace("-EINVAL", "-ENODEV"))
            edit, edit_objects = builds.measure()
            makefile = builds.source / "Makefile"
            makefile.write_text(f"# A comment.\n{makefile.read_text()}")
            comment, comment_objects = builds.measure()
            nothing, _ = builds.measure()
            baseline = loop(kernels, read_links(workspace, kernels), builds.source, scratch / "loop")
        finally:
            builds.bazel.run("shutdown")
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    releases = ", ".join(str(kernel["release"]) for kernel in chosen)
    print(f"kernels: {count}  ({releases}), {options.objects + 1} objects each")
    print(f"loop (baseline)           {baseline:8.1f} s, {baseline / count:6.2f} s for each kernel")
    print(f"full build                {full:8.1f} s, {full / count:6.2f}; {full_objects} objects compiled")
    print(f"  ratio to the loop       {full / baseline:8.2f}  (bound 1.15)")
    print(f"edit of one C file        {edit:8.1f} s, {edit / count:6.2f}; {edit_objects} objects compiled")
    print(f"  ratio to a full build   {edit / full:8.3f}  (bound 0.12)")
    print(f"comment in the Makefile   {comment:8.1f} s; {comment_objects} objects compiled  (bound 0)")
    print(f"nothing changed           {nothing:8.1f} s")
    if options.catalogue:
        for name, seconds in catalogue_rows(workspace):
            print(f"{name}: {seconds:.2f} s")
    return 0


if __name__ == "__main__":
    run(main)
