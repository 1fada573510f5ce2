"""What a kernel_module_source says, as the build of one kernel reads it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tools.lib.errors import UserError

DRIVERS = ("dkms", "kbuild", "scons")
# Where the source's tree is in the root.
SOURCE = Path("/build/source")


def line_key(release: str) -> tuple[int, int]:
    """The (major, minor) line of a kernel release or a line, for example "6.1.0-56-amd64".

    Raises UserError when the text doesn't start with two numbers.
    """
    found = re.match(r"(\d+)\.(\d+)(?=[-+.]|$)", release)
    if not found:
        raise UserError(f"{release!r}: expected a kernel release or line that starts like 6.1")
    return int(found[1]), int(found[2])


def in_range(release: str, kernels: str) -> bool:
    """Whether the kernel's line is in `kernels`: "FIRST..LAST", either end may be left out; "" is all."""
    first, separator, last = kernels.partition("..")
    if kernels and not separator:
        last = first
    line = line_key(release)
    return (not first or line_key(first) <= line) and (not last or line <= line_key(last))


@dataclass(frozen=True)
class Patch:
    """A patch file (in the root), the name that the user knows, and the lines that it is for."""

    path: str
    name: str
    kernels: str


@dataclass(frozen=True)
class Source:
    """A module source.

    label: the Bazel target, for messages. driver: one of DRIVERS. directory: where the
    Makefile or dkms.conf is. modules: what is built, as paths without ".ko", relative to
    the source's root. make_vars: variables for make or scons; {release} and {build_dir}
    in a value stand for the kernel's. display: the source's root as the user knows it.
    """

    label: str
    driver: str
    directory: str
    modules: tuple[str, ...]
    make_vars: dict[str, str]
    patches: tuple[Patch, ...]
    display: str

    @classmethod
    def read(cls, path: Path) -> "Source":
        """Read the description that the kernel_module_source rule wrote."""
        content = json.loads(path.read_text())
        patches = tuple(Patch(**patch) for patch in content.pop("patches"))
        modules = tuple(content.pop("modules"))
        return cls(**content, patches=patches, modules=modules)
