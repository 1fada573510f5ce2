"""Ask kbuild what it would run for each C file of a source; runs inside the kernel's root.

kbuild itself runs, over the source's outline (tools/kernels/parts.py), with each line of its recipes recorded.
Leaves in /out: the plan of each C file's object, empty if kbuild makes none of it; generated.tar, what the run
wrote besides objects; plan.json, how many objects there are, which of them aren't of the source's C files, and if
there are none, why.
"""

import argparse
import json
import os
import posixpath
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.kernels import recorder
from tools.kernels.drivers import Kernel, driver_commands, links
from tools.kernels.execute import run_command
from tools.kernels.messages import failure_text, missing_c_file, shown_folders
from tools.kernels.object_plan import ObjectPlan
from tools.kernels.objects import digests
from tools.kernels.parts import is_c_file
from tools.kernels.source import SOURCE, Source
from tools.lib.cli import run
from tools.lib.errors import UserError

OUT = Path("/out")
_TARGET = re.compile(r"(?:saved)?cmd_(\S+) := ")
_SOURCE_LINE = re.compile(r"^source_\S+ := (\S+)$", re.MULTILINE)


def objects(tree: Path) -> Iterator[tuple[Path, str]]:
    """The C file and kbuild's name of each object below `tree`, from the .cmd files beside the objects."""
    for path in sorted(tree.rglob(".*.o.cmd")):
        text = path.read_text(errors="replace")
        target, source = _TARGET.match(text), _SOURCE_LINE.search(text)
        if not target or not source:
            continue
        if posixpath.isabs(target[1]):
            yield Path(source[1]), target[1]
        else:  # from line 6.13 on, from the folder that make is in
            made = path.with_name(path.name[1 : -len(".cmd")])
            folder = Path(str(made).removesuffix(posixpath.normpath(target[1])))
            yield folder / source[1], target[1]


def object_plans(
    found: Sequence[tuple[Path, str]],
    lines: Sequence[recorder.Line],
    known_links: Mapping[str, str],
    shown: Mapping[str, str],
) -> dict[Path, ObjectPlan]:
    """The plan of each C file, by its real path. A file that more than one recipe compiles has none."""
    by_target: dict[str, list[tuple[str, Sequence[recorder.Line]]]] = {}
    for (cwd, target), recipe in recorder.recipes(lines).items():
        by_target.setdefault(target, []).append((cwd, recipe))
    plans: dict[Path, ObjectPlan] = {}
    twice: set[Path] = set()
    for source, target in found:
        real = source.resolve()
        recorded = [
            (cwd, recipe)
            for cwd, recipe in by_target.get(target, [])
            if posixpath.isabs(target) or Path(cwd, target).resolve() == Path(real.parent, Path(target).name)
        ]
        compiles = [line for _, recipe in recorded for line in recipe if line.exported]
        if real in plans or len(recorded) != 1 or len(compiles) != 1:
            twice.add(real)
            continue
        cwd, recipe = recorded[0]
        plans[real] = ObjectPlan(
            cwd=cwd,
            environment=recorder.exported_variables(compiles[0].exported),
            recipe=tuple(line.text for line in recipe),
            links=dict(known_links),
            shown=dict(shown),
        )
    return {source: plan for source, plan in plans.items() if source not in twice}


def _write_generated(names: Sequence[str], output: Path) -> None:
    with tarfile.open(output, "w", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(names):
            entry = tarfile.TarInfo(name)
            path = SOURCE / name
            entry.size, entry.mode = path.stat().st_size, 0o755 if os.access(path, os.X_OK) else 0o644
            with path.open("rb") as stream:
                archive.addfile(entry, stream)


class _NoPlanError(Exception):
    """Why kbuild couldn't be asked; it may build the source all the same."""


def record(source: Source, kernel: Kernel) -> tuple[dict[Path, ObjectPlan], list[str]]:
    """Run the driver's commands: the plans, and the names of the files that the run generated.

    Raises UserError when a C file is missing, and _NoPlanError when the run fails for another reason.
    """
    words, recorded = recorder.install(Path("/tmp/recorder"))
    log = Path("/tmp/plan.log")
    before = digests(SOURCE)
    known_links = links(source, kernel)
    shown = shown_folders(source, known_links)
    for command in driver_commands(source, kernel, words):
        if run_command(command, log):
            text = log.read_text(errors="replace")
            if missing := missing_c_file(text, source, shown, kernel.release):
                raise UserError(missing)
            raise _NoPlanError(failure_text(text, shown))
    lines = recorder.read_log(recorded.read_text() if recorded.exists() else "")
    plans = object_plans(list(objects(SOURCE)), lines, known_links, shown)
    after = digests(SOURCE)
    generated = [
        name
        for name, digest in after.items()
        # Of the C files there are stubs alone.
        if before.get(name) != digest and not name.endswith(".c") and not Path(name).name.startswith(".tmp_")
    ]
    return plans, generated


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="plan_module", description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--kernel", type=Path, required=True, help="kernel.json")
    parser.add_argument("--source", type=Path, required=True, help="the source's description")
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--required", action="store_true", help="fail when kbuild can't be asked")
    parser.add_argument("c_files", nargs="*", help="the source's C files")
    options = parser.parse_args(arguments)
    facts = json.loads(options.kernel.read_text())
    kernel = Kernel(facts["release"], "/" + facts["build_dir"].lstrip("/"), options.compiler)
    source = Source.read(options.source)
    plans: dict[Path, ObjectPlan] = {}
    generated: list[str] = []
    reason = ""
    try:
        plans, generated = record(source, kernel)
        if not plans:
            reason = f"kbuild compiled none of its {len(options.c_files)} C files"
    except _NoPlanError as error:
        reason = str(error)
    if reason and options.required:
        raise UserError(
            f"{source.label}: kbuild can't be asked how it compiles it for kernel {kernel.release}: expected Makefiles "
            f'that build it with stubs for its C files; mend them, or set compilation = "whole". It said:\n{reason}'
        )
    known = {(SOURCE / name).resolve() for name in options.c_files}
    others = (path for path in plans if path not in known and path.is_relative_to(SOURCE) and is_c_file(path.name))
    linked = sorted(str(path.relative_to(SOURCE)) for path in others)
    planned = len(linked)
    for number, name in enumerate(options.c_files):
        plan = plans.get((SOURCE / name).resolve())
        planned += bool(plan)
        Path(OUT, str(number)).write_text(plan.to_json() if plan else "")
    _write_generated(generated, OUT / "generated.tar")
    reason = f"kbuild gives no plan: {reason}" if reason else ""
    summary = {"linked": linked, "objects": planned, "reason": reason}
    (OUT / "plan.json").write_text(json.dumps(summary, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    run(main)
