"""Make a kernel's headers archive, kernel.json and Module.symvers from its packages."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tools.kernels import facts
from tools.lib.cli import run
from tools.roots.archives import concatenate

# Debian's common headers carry every architecture's; a module for one reaches only its own.
_OTHER_ARCHITECTURES = "usr/src/*/arch/[a-wyz]*"
# Some packages carry it and some don't. With it kbuild wants pahole and gives a module BTF; so that all
# kernels are alike, also for a source that calls make itself, none has it.
_VMLINUX = "usr/src/*/vmlinux"
_DOCUMENTS = ("usr/share/bug", "usr/share/doc", "usr/share/lintian")
_EXCLUDE = (_VMLINUX, _OTHER_ARCHITECTURES, "usr/src/*/arch/xtensa", *_DOCUMENTS)


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="headers", description=__doc__)
    parser.add_argument("--runtime", type=Path, required=True)
    parser.add_argument("--release", required=True)
    parser.add_argument("--headers", type=Path, required=True)
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--symvers", type=Path, required=True)
    parser.add_argument("packages", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    concatenate(options.runtime, sorted(options.packages), options.headers, _EXCLUDE)
    return facts.main([
        "--headers", str(options.headers), "--release", options.release,
        "--out", str(options.facts), "--symvers", str(options.symvers),
    ])  # fmt: skip


if __name__ == "__main__":
    run(main)
