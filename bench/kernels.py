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


def _bazel(output: Path, workspace: Path, words: Sequence[str]) -> str:
    """Run Bazel with an output root of its own; returns its standard output."""
    command = [str(workspace / "bazelw"), f"--output_user_root={output}", *words]
    done = subprocess.run(command, cwd=workspace, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise UserError(f"{' '.join(command)}: failed with exit code {done.returncode}; its messages are above")
    return done.stdout


def choose(catalogue: Sequence[dict[str, object]], count: int) -> list[dict[str, object]]:
    """`count` kernels spread evenly over the catalogue."""
    step = max(1, len(catalogue) // count)
    return list(catalogue[::step][:count])


def _files(output: Path, workspace: Path, target: str) -> tuple[Path, ...]:
    """The absolute paths of a target's files."""
    base = Path(_bazel(output, workspace, ["info", "output_base"]).strip())
    listed = _bazel(output, workspace, ["cquery", "--output=files", target]).split()
    return tuple(base / "execroot/contrail_forge" / path for path in listed)


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
        scratch, output = Path(folder), Path(folder, "bazel")
        try:
            _bazel(output, workspace, ["build", "--nobuild", "--symlink_prefix=/", *targets])
            kernels = [
                Kernel(
                    str(kernel["release"]),
                    _files(output, workspace, f"labels(packages, '//kernels:{kernel['release']}.headers')"),
                    str(kernel["root"]),
                    _files(output, workspace, f"labels(packages, //roots:{kernel['root']})"),
                    str(kernel["compiler"]),
                )
                for kernel in chosen
            ]
            _bazel(output, workspace, ["build", "--symlink_prefix=/", "//vrouter:messages"])
            source = scratch / "source"
            shutil.copytree(workspace / "vrouter", source)
            (source / "generated").mkdir(exist_ok=True)
            for file in _files(output, workspace, "//vrouter:messages"):
                shutil.copy(file, source / "generated")
            start = time.monotonic()
            _bazel(output, workspace, ["build", "--symlink_prefix=/", *targets])
            ours = time.monotonic() - start
            links = {kernel.root: read_lock(workspace / f"roots/{kernel.root}.lock.json").links for kernel in kernels}
            baseline = loop(kernels, links, source, scratch / "loop")
        finally:
            _bazel(output, workspace, ["shutdown"])
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    print(f"kernels: {len(kernels)}  ({', '.join(kernel.release for kernel in kernels)})")
    print(f"loop (baseline) {baseline:8.1f} s")
    print(f"bazel build     {ours:8.1f} s")
    print(f"ratio           {ours / baseline:8.2f}")
    return 0


if __name__ == "__main__":
    run(main)
