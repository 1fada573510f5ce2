"""Mutated requests to the module, and as many mutated replies to vr, without a word of the kernel's.

vr-fuzz prints how the messages ended; its seed is fixed, so that a failure comes again.
"""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.script import section, vm

MESSAGES = 100_000
# The Ethernet address of every router.
ROUTER = "00:00:5e:00:01:00"
# What the kernel's own check of attributes says to whoever sends wrong ones, before a module sees them
# (lib/nlattr.c; net/netlink/genetlink.c has them checked).
OF_NETLINK = r"netlink: .*\bvr-fuzz\b.*|(__nla_validate_parse|validate_nla): \d+ callbacks suppressed"

with section("Load"):
    vm.insmod("vrouter")
    # Devices that messages attach and detach, besides vhost0, and a neighbour that always sends.
    vm.succeed(
        "ip link add veth1 type veth peer name veth2; ip link add dummy1 type dummy",
        "for device in veth1 veth2 dummy1; do ip link set $device up; done",
        f"ip address add 10.0.0.2/24 dev veth2; ip neighbour add 10.0.0.1 lladdr {ROUTER} dev veth2",
        "ip route add 64.0.0.0/2 via 10.0.0.1; vr vif add --name veth1 --vrf 1",
        "ping -q -i 0.02 64.0.0.1 >/dev/null 2>&1 &",
    )

with section(f"{MESSAGES} mutated requests"):
    said = vm.succeed(f"vr-fuzz kernel --messages {MESSAGES} --seed 1 2>&1", timeout=240)
    counts = {way: int(number) for number, _, way in (line.strip().partition(" ") for line in said.splitlines()[1:])}
    # They reached the tables, and didn't only fail.
    assert counts["acknowledged"] > MESSAGES // 20 and counts["rows of tables"] > MESSAGES // 20, said

with section(f"{MESSAGES} mutated replies"):
    vm.succeed(f"vr-fuzz replies --messages {MESSAGES} --seed 1", timeout=120)

with section("All is in order"):
    dropped = {row["reason"]: row["packets"] for row in json.loads(vm.succeed("vr drops --nonzero --json"))}
    assert dropped.get("no-route") or dropped.get("discard"), dropped
    vm.succeed("vr version", "for table in vif nh rt mpls drops; do vr $table list --json >/dev/null || exit; done")
    vm.rmmod("vrouter")
    assert vm.fails("vr-fuzz kernel").code == 1
    vm.check_kernel_log(known=OF_NETLINK)
