# Ends as the variable WHAT says.
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.script import section, vm

what = os.environ["WHAT"]
with section(f"The end: {what}"):
    if what == "assertion":
        assert vm.succeed("echo one") == "two", "one is not two"
    if what == "qemu-killed":
        # The driver's only child.
        (qemu,) = [int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]
        os.kill(qemu, signal.SIGKILL)
        vm.succeed("sleep 1000")
    if what == "timeout":
        vm.succeed("sleep 1000", timeout=2)
