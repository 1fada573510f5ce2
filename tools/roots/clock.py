"""The fixed clock of every root.

The kernel has no namespace for the calendar clock, so libfaketime, a package of the root,
answers for it. `make` and its like keep the true clock: they compare it with the times of
files that were just written. File times stay true for the same reason.
"""

from collections.abc import Mapping
from pathlib import Path

# 2025-01-01T00:00:00Z, in seconds since the epoch
# (https://reproducible-builds.org/specs/source-date-epoch/).
SOURCE_DATE_EPOCH = 1735689600
_LIBRARY = "usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
_TRUE_CLOCK = ("make", "ninja", "scons", "cmake", "tar", "rsync", "fixdep")


def clock_environment(root: Path) -> Mapping[str, str]:
    """The environment that fixes the clock for programs of the root that lies at `root`.

    Without libfaketime in the root only SOURCE_DATE_EPOCH is set, which compilers and
    archivers honour.
    """
    environment = {"SOURCE_DATE_EPOCH": str(SOURCE_DATE_EPOCH)}
    if (root / _LIBRARY).exists():
        environment |= {
            "LD_PRELOAD": f"/{_LIBRARY}",
            "FAKETIME": "2025-01-01 00:00:00",
            "FAKETIME_SKIP_CMDS": ",".join(_TRUE_CLOCK),
            "FAKETIME_DISABLE_SHM": "1",
            "NO_FAKE_STAT": "1",
        }
    return environment
