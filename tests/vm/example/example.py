"""A VM test from end to end: load the module into a booted kernel, use it, look at the kernel's log, switch off."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.script import section, vm

with section("The module loads and answers"):
    vm.insmod("vrouter.ko")
    assert "vrouter" in vm.succeed("lsmod")
    vm.succeed("vr vif list --json")

with section("Mistakes are told"):
    assert vm.fails("vr vif add --name nowhere --vrf 1")

vm.rmmod("vrouter")
vm.check_kernel_log()
vm.shutdown()
