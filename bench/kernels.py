"""Time a cold build of ten kernels against the plainest alternative, in one run.

Ours: `bazel build` of ten kernels in an empty output base, packages already fetched.
Baseline "loop": for each of the same kernels, dpkg-deb -x of the same packages, then
`make -j2` in the same root by bubblewrap. Both start from the same .deb files; the
baseline too unpacks each root once.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bazel import Bazel
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.locks import read_lock

# dpkg-deb and bubblewrap of the tool runtime, beside the workspace in the runfiles.
PROGRAMS = Path("../tool_runtime/bin").absolute()


@dataclass(frozen=True)
class Kernel:
    """What the loop needs of a kernel: its release, the .debs, the root's .debs, the compiler."""

    release: str
    packages: tuple[Path, ...]
    root: str
    root_packages: tuple[Path, ...]
    compiler: str


def choose(catalogue: Sequence[dict[str, object]], count: int) -> list[dict[str, object]]:
    """`count` kernels spread evenly over the catalogue."""
    step = max(1, len(catalogue) // count)
    return list(catalogue[::step][:count])


def target_files(bazel: Bazel, target: str) -> tuple[Path, ...]:
    """The absolute paths of a target's files."""
    root = bazel.execution_root()
    return tuple(root / path for path in bazel.run("cquery", "--output=files", target).split())


def read_kernels(bazel: Bazel, chosen: Sequence[dict[str, object]]) -> list[Kernel]:
    """What the loop needs of kernels of the catalogue, whose packages Bazel has fetched."""
    return [
        Kernel(
            str(kernel["release"]),
            target_files(bazel, f"labels(packages, '//kernels:{kernel['release']}.headers')"),
            str(kernel["root"]),
            target_files(bazel, f"labels(packages, //roots:{kernel['root']})"),
            str(kernel["compiler"]),
        )
        for kernel in chosen
    ]


def read_links(workspace: Path, kernels: Sequence[Kernel]) -> dict[str, Mapping[str, str]]:
    """The links of each root that the kernels need, from its lock."""
    return {kernel.root: read_lock(workspace / f"roots/{kernel.root}.lock.json").links for kernel in kernels}


def _unpack(packages: Sequence[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for package in packages:
        subprocess.run([PROGRAMS / "dpkg-deb", "-x", package, folder], check=True)


def _prepare_root(packages: Sequence[Path], links: Mapping[str, str], folder: Path) -> None:
    _unpack(packages, folder)
    for name in ("bin", "sbin", "lib", "lib64"):
        if not (folder / name).exists():
            (folder / name).symlink_to(f"usr/{name}")
    for name, target in links.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
    for name in ("build", "proc", "dev", "tmp"):
        (folder / name).mkdir(exist_ok=True)


def loop(kernels: Sequence[Kernel], links: Mapping[str, Mapping[str, str]], source: Path, scratch: Path) -> float:
    """The baseline: seconds of wall time for the whole loop. `links` are those of each root's lock."""
    start = time.monotonic()
    for number, kernel in enumerate(kernels, 1):
        root = scratch / kernel.root
        if not root.exists():
            _prepare_root(kernel.root_packages, links[kernel.root], root)
        headers, tree = scratch / f"headers.{number}", scratch / f"source.{number}"
        _unpack(kernel.packages, headers)
        shutil.copytree(source, tree)
        build_dir = f"/usr/src/linux-headers-{kernel.release}"
        subprocess.run(
            [
                f"{PROGRAMS}/bwrap", "--unshare-all", "--uid", "0", "--gid", "0", "--bind", str(root), "/",
                "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp",
                *(word for name in ("usr/src", "usr/lib", "lib") if (headers / name).exists()
                  for folder in sorted((headers / name).iterdir()) if folder.name.startswith("linux-")
                  for word in ("--ro-bind", str(folder), f"/{name}/{folder.name}")),
                "--bind", str(tree), "/build",
                "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--chdir", "/build",
                "make", "-j2", "-C", build_dir, "M=/build", f"CC={kernel.compiler}",
                "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules",
            ],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        if not list(tree.rglob("*.ko")):
            raise UserError(f"the loop made no module for kernel {kernel.release}")
        print(f"  loop {number}/{len(kernels)} {kernel.release}", file=sys.stderr, flush=True)
    return time.monotonic() - start


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench/kernels", description=__doc__)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--workspace", type=Path, default=Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")))
    options = parser.parse_args(arguments)
    workspace = options.workspace.resolve()
    catalogue = json.loads((workspace / "kernels/catalogue.json").read_text())["kernels"]
    chosen = choose([kernel for kernel in catalogue if not kernel.get("missing")], options.count)
    targets = [f"//kernels:{kernel['release']}" for kernel in chosen]
    with tempfile.TemporaryDirectory(prefix="forge-bench.") as folder:
        scratch = Path(folder)
        bazel = Bazel(workspace, scratch / "bazel")
        try:
            bazel.build("--nobuild", *targets)
            kernels = read_kernels(bazel, chosen)
            bazel.build("//vrouter:messages")
            source = scratch / "source"
            shutil.copytree(workspace / "vrouter", source)
            (source / "generated").mkdir(exist_ok=True)
            for file in target_files(bazel, "//vrouter:messages"):
                shutil.copy(file, source / "generated")
            ours = bazel.build(*targets)
            baseline = loop(kernels, read_links(workspace, kernels), source, scratch / "loop")
        finally:
            bazel.run("shutdown")
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    print(f"kernels: {len(kernels)}  ({', '.join(kernel.release for kernel in kernels)})")
    print(f"loop (baseline) {baseline:8.1f} s")
    print(f"bazel build     {ours:8.1f} s")
    print(f"ratio           {ours / baseline:8.2f}")
    return 0


if __name__ == "__main__":
    run(main)
