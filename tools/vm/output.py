"""Files of the driver's outputs that are written as things happen, on whatever thread that is."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from tools.vm.failure import Failure


def disk_failure(name: str, error: OSError) -> Failure:
    """The failure of a test whose output `name` can't be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = "no space left; make room where the test's outputs go, and run it again"
    else:
        what = error.strerror or str(error)
    return Failure("disk", f"cannot write {name}: {what}")


class OutputFile:
    """A new file. The first write that fails is told to `lost`; after that nothing is written any more.

    Raises OSError if it can't be made. Not for two threads at once.
    """

    def __init__(self, path: Path, lost: Callable[[Failure], None]) -> None:
        self._name = path.name
        self._lost = lost
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self._open = True

    def write(self, data: bytes) -> None:
        """Write at once; nothing is kept back."""
        while data and self._open:
            try:
                # On a disk that is almost full this takes a part.
                data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                self.close()
                self._lost(disk_failure(self._name, error))

    def close(self) -> None:
        """Close the file; what is written later is dropped."""
        if self._open:
            self._open = False
            os.close(self._descriptor)
