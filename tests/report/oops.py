"""A machine that does harm to its kernel; tests/report/in_browser/vm_log.py looks at the page."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.script import section, vm

with section("Before"):
    vm.succeed("ip link", "cat /proc/version")

with section("Harm"), section("A null pointer"):
    vm.insmod("trouble.ko", what="oops")
