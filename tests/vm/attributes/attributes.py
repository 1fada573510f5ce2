"""What a vm_test's attributes say is so in the machines."""

import os
from typing import TYPE_CHECKING

from tests.vm.attributes.expected import NOTES, WORD

if TYPE_CHECKING:
    from tools.vm.script import machines, section

left, right = machines["left"], machines["right"]
assert os.environ["WORD"] == WORD

with section("Memory, processors and the command line"):
    for machine in machines.values():
        memory, processors, words = machine.succeed(
            "grep MemTotal /proc/meminfo", "grep -c ^processor /proc/cpuinfo", "cat /proc/cmdline"
        ).splitlines()
        assert 300 * 1024 < int(memory.split()[1]) < 384 * 1024
        assert processors == "2"
        assert "forge.word=1" in words.split()

with section("Files"):
    for machine in machines.values():
        assert machine.succeed("cat /etc/notes") == NOTES
        machine.succeed("test -x /bin/vr")

with section("Modules of the test, for the machine that has them"):
    left.insmod("hello.ko")
    left.rmmod("hello")
    assert right.fails("test -e /modules/hello.ko")

with section("Modules of the kernel, with what they need"):
    for machine in machines.values():
        machine.succeed("test -d /sys/module/bridge", "test -d /sys/module/stp", "test -d /sys/module/veth")
        assert machine.fails("test -d /sys/module/vxlan")
        machine.succeed("modprobe vxlan", "test -d /sys/module/udp_tunnel")

with section("Networks, in their order"):
    left.succeed("ip link set eth0 up", "ip address add 192.0.2.1/24 dev eth0")
    assert left.fails("test -e /sys/class/net/eth1")
    right.succeed("ip link set eth0 up", "ip address add 192.0.2.2/24 dev eth0", "test -e /sys/class/net/eth1")
    left.wait_until_succeeds("ping -c 1 -W 1 192.0.2.2")

for machine in machines.values():
    machine.check_kernel_log()
