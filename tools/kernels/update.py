"""Make the kernel catalogue anew: ./bazelw run //kernels:update

Finds every amd64 kernel whose headers the suites publish now, and locks its packages.
Kernels that were added by URL stay.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tools.kernels.availability import gone_packages
from tools.kernels.catalogue import (
    Kernel,
    Published,
    find_kernels,
    package_key,
    read_catalogue,
    write_catalogue,
)
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.locks import Package, read_lock
from tools.roots.apt import Apt, Programs
from tools.roots.mirrors import SUITES, find_mirrors
from tools.roots.resolve import preferred_suites
from tools.roots.update import add_apt_arguments, programs

# The suites with backports now: oldoldstable's are gone, testing's come with its release.
_BACKPORTS = ("bookworm-backports", "trixie-backports")
KERNEL_SUITES = (*(name for suite in SUITES for name in preferred_suites(suite)), *_BACKPORTS)
_NAMES = re.compile(
    r"linux-(headers-\d.+-(amd64|common|common-rt)|kbuild-\d.+"
    r"|(image|base|binary|binary-unsigned|modules)-\d.+-amd64(-unsigned)?)"
)


def published_packages(apt: Apt) -> list[Published]:
    """Every package that a kernel may need, each version newest first."""
    names = [name for name in apt.names if _NAMES.fullmatch(name)]
    if not names:
        raise UserError(f"no kernel package in {', '.join(KERNEL_SUITES)}; is this a mirror of Debian for amd64?")
    origins = apt.origins(names)
    return [
        Published(
            entry["Package"],
            entry["Version"],
            ", ".join(entry[name] for name in ("Pre-Depends", "Depends") if name in entry),
            origins[entry["Package"], entry["Version"]],
        )
        for entry in apt.show(names)
    ]


def lock_packages(apt: Apt, kernels: Sequence[Kernel]) -> dict[str, Package]:
    """Lock entries by key of all that the kernels name."""
    keys = {key for kernel in kernels for key in (*kernel.headers, *kernel.image)}
    pairs = [(name, version) for name, _, version in (key.partition("=") for key in keys)]
    return {package_key(package): package for package in apt.locate(pairs)}


def check_compilers(kernels: Sequence[Kernel], roots: Path) -> list[str]:
    """A warning for every root that lacks the compiler of one of its kernels."""
    warnings = []
    for root, compiler in sorted({(kernel.root, kernel.compiler) for kernel in kernels}):
        lock = roots / f"{root}.lock.json"
        if not lock.exists() or compiler not in {package.name for package in read_lock(lock).packages}:
            warnings.append(
                f"roots/{root}.lock.json has no {compiler}, which kernels of the catalogue need: "
                f"add it to roots/{root}.yaml and run ./bazelw run //roots:update -- {root}"
            )
    return warnings


def mark_missing(kernels: Sequence[Kernel], packages: Mapping[str, Package]) -> list[Kernel]:
    """The kernels, each with those of its packages that no mirror has any more."""
    wanted = {key for kernel in kernels for key in (*kernel.headers, *kernel.image)}
    gone = set(map(package_key, gone_packages((packages[key] for key in sorted(wanted)), find_mirrors())))
    return [
        replace(
            kernel,
            missing=tuple(key for key in kernel.headers if key in gone),
            missing_image=tuple(key for key in kernel.image if key in gone),
        )
        for kernel in kernels
    ]


def open_indexes(folder: str, apt_programs: Programs) -> Apt:
    """The packages of all the suites, with their indexes fetched."""
    apt = Apt(Path(folder), KERNEL_SUITES, find_mirrors(), apt_programs)
    apt.update()
    return apt


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="kernels:update", description=__doc__.partition("\n")[0])
    add_apt_arguments(parser)
    options = parser.parse_args(arguments)
    folder: Path = options.workspace / "kernels"
    before, before_packages = read_catalogue(folder)
    with tempfile.TemporaryDirectory(prefix="kernels-update.") as scratch:
        apt = open_indexes(scratch, programs(options))
        kernels, left_out = find_kernels(published_packages(apt))
        packages = lock_packages(apt, kernels)
    kernels = mark_missing(kernels, packages)
    found = {kernel.release for kernel in kernels}
    kernels += [kernel for kernel in before if kernel.origin == "url" and kernel.release not in found]
    write_catalogue(folder, kernels, before_packages | packages)
    for warning in left_out + check_compilers(kernels, options.workspace / "roots"):
        print(f"warning: {warning}", file=sys.stderr)
    releases, old = {kernel.release for kernel in kernels}, {kernel.release for kernel in before}
    for what, dropped in (
        ("their header packages", [kernel.release for kernel in kernels if kernel.missing]),
        ("their image packages (not testable)", [kernel.release for kernel in kernels if kernel.missing_image]),
    ):
        if dropped:
            print(f"warning: listed, but no mirror has {what}: {', '.join(dropped)}", file=sys.stderr)
    for word, names in (("new", releases - old), ("gone", old - releases)):
        if old and names:
            print(f"{word}: {', '.join(sorted(names))}")
    lines = sorted({kernel.line for kernel in kernels}, key=lambda line: [int(part) for part in line.split(".")])
    print(f"kernels/catalogue.json: {len(kernels)} kernels of the lines {', '.join(lines)}")
    return 0


if __name__ == "__main__":
    run(main)
