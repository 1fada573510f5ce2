"""Three machines in one Ethernet: each reaches each, a frame goes where it should, and one may leave and come back."""

from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.machine import Machine
    from tools.vm.script import machines, section

one, two, three = (machines[name] for name in ("one", "two", "three"))
ADDRESSES = {one: "192.0.2.1", two: "192.0.2.2", three: "192.0.2.3"}


def join(machine: "Machine") -> None:
    """Give a machine its address, and no other traffic than the test's."""
    machine.succeed(
        "echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6",
        f"ip address add {ADDRESSES[machine]}/24 dev eth0 && ip link set eth0 up",
    )


def ping(machine: "Machine", target: "Machine", count: int = 1) -> str:
    """The command's own time-out is for a host whose processors are busy."""
    return machine.succeed(f"ping -q -c {count} -i 0.2 -W 20 {ADDRESSES[target]}")


def received(machine: "Machine") -> int:
    """How many frames have reached a machine."""
    return int(machine.succeed("cat /sys/class/net/eth0/statistics/rx_packets"))


with section("Each reaches each, by its own Ethernet address"):
    for machine in ADDRESSES:
        join(machine)
    for machine, target in permutations(ADDRESSES, 2):
        ping(machine, target)
    ethernet = {machine: machine.succeed("cat /sys/class/net/eth0/address").strip() for machine in ADDRESSES}
    assert len(set(ethernet.values())) == 3

with section("What two say to each other doesn't reach the third"):
    # Kernels ask now and then whether a neighbour is still there; not for these.
    for machine, target in permutations(ADDRESSES, 2):
        machine.succeed(f"ip neigh replace {ADDRESSES[target]} lladdr {ethernet[target]} dev eth0 nud permanent")
    before = [received(machine) for machine in (one, two, three)]
    ping(one, three, count=10)
    moved = [received(machine) - was for machine, was in zip((one, two, three), before, strict=True)]
    assert moved == [10, 0, 10], moved

with section("A broadcast reaches all others"):
    for machine in (two, three):
        machine.succeed("echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts")
    before = [received(machine) for machine in (two, three)]
    one.execute("ping -q -b -c 3 -i 0.2 -W 20 192.0.2.255")
    assert [received(machine) - was >= 3 for machine, was in zip((two, three), before, strict=True)] == [True, True]

with section("One leaves, the others go on, and it comes back"):
    two.crash()
    ping(one, three)
    assert one.fails(f"ping -q -c 1 -W 1 {ADDRESSES[two]}")
    two.start()
    join(two)
    ping(two, one)
    ping(three, two)

for machine in ADDRESSES:
    machine.check_kernel_log()
