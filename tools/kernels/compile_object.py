"""Make the object of one C file as its plan says, in a root of what a compiler needs.

Leaves a tar: `log`, what the compiler printed, and below `tree/` what it made, or nothing where the plan is empty. An
object that lacks a file is left to the link, where the whole tree is: the build may make that file.

It runs once for an action, or as Bazel's persistent worker: then the roots stay unpacked between the actions, known by
the digests of their archives. Either way the compiler sees the action's inputs alone.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from tools.kernels.messages import user_paths
from tools.kernels.object_plan import ObjectPlan
from tools.kernels.source import SOURCE
from tools.lib import worker
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.roots.run_in_root import Plan, inner_command, make_mount_points, unpack

# In the first namespace, on the memory that is its root.
_STAGE = Path("/forge-stage")
_STAGED = "--staged"
# How many roots a worker keeps unpacked; each takes about 100 MB.
_KEPT = 3
_LACKING = re.compile(r"fatal error: .*: No such file or directory")
# Each argument is a line of a recipe.
_RUN = 'for line; do /bin/sh -c "$line" || exit; done'


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compile_object", description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--runtime", required=True, help="the tool runtime's folder")
    parser.add_argument("--layer", action="append", default=[], help="an archive of the root")
    parser.add_argument("--tree", action="append", default=[], help="an archive of what lies around the C file")
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--c-file", required=True, metavar="NAME=PATH")
    parser.add_argument("--label", required=True, help="the source, for messages")
    parser.add_argument("--release", required=True, help="the kernel, for messages")
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args(arguments)


def _write(output: Path, files: Mapping[str, bytes]) -> None:
    with tarfile.open(output, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))


class Roots:
    """Unpacked roots, the last ones that were used."""

    def __init__(self, stage: Path) -> None:
        self._stage = stage
        self._trees: OrderedDict[tuple[str, ...], Path] = OrderedDict()
        self._count = 0

    def tree(self, runtime: str, layers: Sequence[str], digests: Mapping[str, str]) -> Path:
        """The folder with these archives unpacked; `digests` say by path whether they are the same as before."""
        key = tuple(digests.get(layer, layer) for layer in layers)
        if key not in self._trees:
            while len(self._trees) >= _KEPT:
                shutil.rmtree(self._trees.popitem(last=False)[1])
            self._count += 1
            tree = self._stage / f"root.{self._count}"
            for layer in layers:
                unpack(runtime, layer, tree)
            make_mount_points(tree)
            self._trees[key] = tree
        self._trees.move_to_end(key)
        return self._trees[key]


def _lay_out(options: argparse.Namespace, plan: ObjectPlan, build: Path) -> dict[Path, int]:
    """Fill /build with what the compiler reads; the files that are there, each with its time of change."""
    source = build / SOURCE.name
    source.mkdir(parents=True)
    for archive in options.tree:
        with tarfile.open(archive) as packed:
            packed.extractall(source)
    name, _, path = options.c_file.partition("=")
    (source / name).parent.mkdir(parents=True, exist_ok=True)
    (source / name).unlink(missing_ok=True)  # a link to another C file of the source
    shutil.copyfile(path, source / name)
    for link, folder in plan.links.items():
        place = build / Path(link).relative_to("/build")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(folder)
    return {path: path.stat().st_mtime_ns for path in source.rglob("*") if path.is_file()}


def compile_object(options: argparse.Namespace, roots: Roots, stage: Path, digests: Mapping[str, str]) -> None:
    """Do what the plan says. Raises UserError with the compiler's own words."""
    plan = ObjectPlan.from_json(options.plan.read_text())
    if not plan:
        _write(options.output, {})
        return
    tree = roots.tree(options.runtime, options.layer, digests)
    build, out = stage / "build", stage / "out"
    for folder in (build, out):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    before = _lay_out(options, plan, build)
    words = ["env", "-i", "-C", plan.cwd, *(f"{name}={value}" for name, value in sorted(plan.environment.items()))]
    words += ["/bin/sh", "-c", _RUN, "sh", *plan.recipe]
    command = inner_command(Plan(options.runtime, tuple(words), cwd="/"), tree, build, out)
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    log = done.stdout.decode(errors="replace")
    made: dict[str, bytes] = {}
    if done.returncode and not _LACKING.search(log):
        name = options.c_file.partition("=")[0]
        (path,) = user_paths(str(SOURCE / name), plan.shown)
        entered = f"make: Entering directory '{plan.cwd}'\n"
        said = [line for line in user_paths(entered + log, plan.shown)[1:] if not line.startswith("  ")]
        raise UserError(
            f"{path} of {options.label} doesn't build for kernel {options.release} "
            f"(exit code {done.returncode}):\n" + "\n".join(said)
        )
    if not done.returncode:
        made["log"] = log.encode()
        source = build / SOURCE.name
        for file in source.rglob("*"):
            if file.is_file() and before.get(file) != file.stat().st_mtime_ns:
                made[f"tree/{file.relative_to(source)}"] = file.read_bytes()
    _write(options.output, made)


def staged(arguments: Sequence[str]) -> int:
    """What is done in the first namespace: one action, or those of a worker."""
    stage = _STAGE
    stage.mkdir()
    roots = Roots(stage)
    if worker.FLAG not in arguments:
        compile_object(_parse(arguments), roots, stage, {})
        return 0
    start = [word for word in arguments if word != worker.FLAG]

    def handle(action: Sequence[str], digests: Mapping[str, str]) -> tuple[int, str]:
        try:
            compile_object(_parse([*start, *action]), roots, stage, digests)
        except UserError as error:
            return 1, f"error: {error}\n"
        except OSError as error:
            return 1, f"error: {error.filename or 'an output'}: {error.strerror}; make room, and build it again\n"
        return 0, ""

    worker.serve(handle)
    return 0


def _outer_command(runtime: str, words: Sequence[str]) -> list[str]:
    """The command that enters a namespace with the machine's files and a root folder of its own, in memory.

    A root folder of its own, because a mount point on the machine's would be left behind when a worker is killed.
    """
    command = [f"{runtime}/bin/bwrap", "--unshare-user", "--die-with-parent"]
    for entry in sorted(Path("/").iterdir()):
        if entry.is_symlink():
            command += ["--symlink", os.readlink(entry), str(entry)]
        elif entry.is_dir():
            command += ["--dev-bind", str(entry), str(entry)]
    return [*command, "--chdir", os.getcwd(), "--", f"{runtime}/bin/python3", "-ISB", sys.path[0], _STAGED, *words]


def main(arguments: Sequence[str]) -> int:
    """The command line; `--staged` is how it calls itself inside the namespace."""
    if arguments[:1] == [_STAGED]:
        return staged(arguments[1:])
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--runtime", required=True)
    runtime = parser.parse_known_args(arguments)[0].runtime
    return subprocess.run(_outer_command(runtime, arguments), check=False).returncode


if __name__ == "__main__":
    run(main)
