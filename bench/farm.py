"""Measure the farm on this machine, each step against its baseline of the same run.

1. Baseline: a cold local build of the kernels, packages already fetched.
2. The same by remote execution with two local workers and an empty cache.
3. A copy of the workspace in another folder, as another user with another home, with the
   cache that step 2 has filled: nothing may be executed, and only what was asked for downloaded.
4. `build //...` with nothing to do, with the user's own settings.

The exit code is 1 when a bound is missed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.bazel import LIKE_A_FARM, Bazel, busy, kernels
from bench.bound import Bound
from bench.local_farm import local_farm
from bench.model.grpc_log import traffic
from tools.lib.cli import run
from tools.lib.errors import UserError

BWRAP = Path("../tool_runtime/bin/bwrap").absolute()
_SKIPPED = shutil.ignore_patterns(".git", "bazel-*", "__pycache__", "user.bazelrc", ".*_cache")
_WORKERS = 2
_REMOTE_RATIO = 1.25
_CLONE_SHARE = 0.05
_NO_OP_SECONDS = 1.5
_NO_OP_RUNS = 5


def how_executed(events: Path) -> dict[str, int]:
    """How many actions ran how ("remote", "remote cache hit", "linux-sandbox", ...), from --build_event_json_file."""
    for line in events.read_text().splitlines():
        metrics = json.loads(line).get("buildMetrics")
        if metrics:
            counts = metrics["actionSummary"].get("runnerCount", ())
            return {each["name"]: int(each["count"]) for each in counts if each["name"] not in ("total", "internal")}
    raise UserError(f"{events}: it has no metrics of the build, so Bazel didn't end it well")


def requested_bytes(bazel: Bazel, targets: Sequence[str]) -> int:
    """The bytes of the files that the user asks for with these targets; they must be built."""
    chosen = "set({})".format(" ".join(f'"{target}"' for target in targets))
    listed = bazel.run("cquery", *LIKE_A_FARM, "--output=files", chosen)
    base = bazel.execution_root()
    return sum((base / path).stat().st_size for path in set(listed.split("\n")) - {""})


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="bench/farm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")))
    parser.add_argument("--kernels", default="all", metavar="N", help="how many kernels, or all (default)")
    parser.add_argument("--scratch", type=Path, help="a folder with room for two output bases and a cache")
    parser.add_argument("--no-op", default=True, action=argparse.BooleanOptionalAction, help="measure step 4")
    options = parser.parse_args(arguments)
    if options.kernels != "all" and not (options.kernels.isdigit() and int(options.kernels)):
        raise UserError(f"--kernels {options.kernels}: expected all, or how many, such as 10")
    workspace = options.workspace.resolve()
    count = sys.maxsize if options.kernels == "all" else int(options.kernels)
    with tempfile.TemporaryDirectory(prefix="forge-bench.", dir=options.scratch) as folder:
        try:
            bounds = compare(workspace, kernels(workspace, count), Path(folder))
        finally:
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    if options.no_op:
        bounds.append(no_op(workspace))
    print("\n".join(str(bound) for bound in bounds))
    return 0 if all(bound.kept for bound in bounds) else 1


def compare(workspace: Path, targets: Sequence[str], scratch: Path) -> list[Bound]:
    """Steps 1 to 3."""
    events, log = scratch / "events.json", scratch / "grpc.log"
    metrics = f"--build_event_json_file={events}"
    first = Bazel(workspace, scratch / "first")
    copy = scratch / "elsewhere" / "checkout"
    shutil.copytree(workspace, copy, symlinks=True, ignore=_SKIPPED)
    second = _other_user(first, copy, scratch)
    try:
        with local_farm(scratch / "farm", _WORKERS) as address:
            farm = ("--config=farm", f"--remote_executor={address}", metrics)
            first.run("build", "--nobuild", "--symlink_prefix=/", *targets)
            second.run("build", "--nobuild", "--symlink_prefix=/", *farm, *targets)
            first.run("clean")
            print(f"{len(targets)} kernels; {busy()}", flush=True)
            local = first.build(*targets)
            print(f"cold local build (baseline)         {local:8.1f} s", flush=True)
            first.run("clean")
            remote = first.build(*farm, *targets)
            print(f"cold, {_WORKERS} local workers               {remote:8.1f} s  {how_executed(events)}", flush=True)
            again = second.build(*farm, f"--remote_grpc_log={log}", *targets)
            executed = how_executed(events)
            asked = requested_bytes(second, targets)
            print(f"copy, other user, warm cache        {again:8.1f} s  {executed}", flush=True)
    finally:
        for bazel in (first, second):
            bazel.run("shutdown")
    moved = traffic(log)
    print(f"the copy downloaded {moved.read / 1e6:.1f} MB in {moved.reads} files; asked for {asked / 1e6:.1f} MB")
    return [
        Bound(f"{_WORKERS} workers / local build", remote / local, _REMOTE_RATIO),
        Bound("the copy: actions executed", sum(executed.values()) - executed.get("remote cache hit", 0), 0),
        Bound("the copy / cold local build", again / local, _CLONE_SHARE),
        Bound("the copy: bytes downloaded / asked for", moved.read / asked, 1.0),
    ]


def _other_user(first: Bazel, copy: Path, scratch: Path) -> Bazel:
    """Bazel in another folder for user 4321 with an empty home; it has the same packages fetched."""
    home = scratch / "home"
    home.mkdir()
    # Only what was downloaded and Bazel itself are shared: repositories by digest, and the locked root.
    repositories = Path(first.run("info", "repository_cache").strip())
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    environment = {"HOME": str(home), "USER": "somebody", "LOGNAME": "somebody", "XDG_CACHE_HOME": cache}
    wrapper = [str(BWRAP), "--dev-bind", "/", "/", "--unshare-user", "--uid", "4321", "--gid", "4321", "--"]
    (copy / "user.bazelrc").write_text(f"common --repository_cache={repositories}\n")
    return Bazel(copy, scratch / "elsewhere" / "output", wrapper, environment)


def no_op(workspace: Path) -> Bound:
    """Step 4: the median of some runs."""
    command = [str(workspace / "bazelw"), "build", "--noshow_progress", "--show_result=0", "//..."]

    def once() -> float:
        start = time.monotonic()
        done = subprocess.run(command, cwd=workspace, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise UserError("bazelw build //...: failed; its messages are above")
        return time.monotonic() - start

    once()
    seconds = sorted(once() for _ in range(_NO_OP_RUNS))
    print(f"no-op build //...: {', '.join(f'{each:.2f}' for each in seconds)} s")
    return Bound("no-op build //...", median(seconds), _NO_OP_SECONDS, "s")


if __name__ == "__main__":
    run(main)
