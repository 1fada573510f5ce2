"""Two routers and the tunnels between them: MPLS over UDP, for two tenants with the same addresses.

    red    10.0.0.1 ─┐                                               ┌─ red    10.0.0.2
                     ├─ left 192.0.2.1 ═══ network ═══ 192.0.2.2 right ─┤
    blue   10.0.0.1 ─┘                                               └─ blue   10.0.0.2 and 10.0.0.3

A packet's label says whose it is: each router gives one to each of its workloads. The counters of
the two routers say what went through the network between them.
"""

from typing import TYPE_CHECKING

from tests.kernels.router import MTU, PING, Router, Workload, answers, reasons

if TYPE_CHECKING:
    from tools.vm.machine import Machine
    from tools.vm.script import log, machines, section, start_all

left, right = machines["left"], machines["right"]
COUNT = 100
# What is left of the network's 1500 bytes for what is inside of a tunnel: without IPv4, UDP and MPLS headers.
INSIDE = 1500 - 20 - 8 - 4

workloads = {
    left: [Workload("red", 1, 11, ("10.0.0.1",)), Workload("blue", 2, 12, ("10.0.0.1",))],
    right: [Workload("red", 1, 11, ("10.0.0.2",)), Workload("blue", 2, 12, ("10.0.0.2", "10.0.0.3"))],
}
addresses = {left: "192.0.2.1", right: "192.0.2.2"}
labels = {left: 100, right: 200}  # and the number of the workload's VRF
routers = {machine: Router(machine, log) for machine in (left, right)}
red, blue = workloads[left]


def tunnel(here: "Machine", there: "Machine", hop: int, label: int) -> str:
    """The line for `vr` that makes a next hop to the other router."""
    mac = there.succeed("cat /sys/class/net/eth0/address").strip()
    ends = f"--local {addresses[here]} --remote {addresses[there]}"
    return f"nh add --id {hop} --type tunnel --name eth0 --dmac {mac} {ends} --label {label}"


start_all()

with section("Two routers, and two tenants on each"):
    for here, there in ((left, right), (right, left)):
        here.insmod("vrouter.ko")
        router = routers[here]
        router.add(workloads[here], "link set eth0 up", f"addr add {addresses[here]}/24 dev eth0")
        router.vr("vif add --name eth0 --type fabric")
        for one in workloads[here]:
            router.vr(f"mpls add --label {labels[here] + one.vrf} --nh {one.hop}")
        for one in workloads[there]:
            router.vr(
                tunnel(here, there, 20 + one.vrf, labels[there] + one.vrf),
                *(f"rt add --vrf {one.vrf} --prefix {address}/32 --nh {20 + one.vrf}" for address in one.addresses),
            )
    # From here on everybody knows the gateway's MAC, and nobody asks for it again.
    assert answers(left.succeed(red.ping("10.0.0.2", 1), blue.ping("10.0.0.2", 1))) == [1, 1]
    for router in routers.values():
        router.moved()

with section("Traffic of each tenant, both ways"):
    output = left.succeed(red.ping("10.0.0.2", COUNT)) + right.succeed(workloads[right][1].ping("10.0.0.1", COUNT + 1))
    assert answers(output) == [COUNT, COUNT + 1]
    for router in routers.values():
        moved = router.moved()
        assert (moved["red rx-packets"], moved["blue rx-packets"]) == (COUNT, COUNT + 1)
        assert moved["eth0 rx-packets"] == moved["eth0 tx-packets"] == 2 * COUNT + 1
        assert not reasons(moved)

with section("No traffic between the tenants"):
    left.fails(red.ping_in_vain("10.0.0.3", COUNT))
    assert reasons(routers[left].moved()) == {"no-route": COUNT}
    assert not routers[right].moved()
    assert answers(left.succeed(blue.ping("10.0.0.3", COUNT))) == [COUNT]
    moved = routers[right].moved()
    assert moved["blue tx-packets"] == COUNT and not moved["red tx-packets"]
    routers[left].moved()

with section("A label that nobody gave"):
    routers[left].vr(tunnel(left, right, 30, 999), "rt add --vrf 1 --prefix 10.0.0.9/32 --nh 30")
    left.fails(red.ping_in_vain("10.0.0.9", COUNT))
    assert routers[left].moved()["eth0 tx-packets"] == COUNT
    moved = routers[right].moved()
    assert reasons(moved) == {"no-label": COUNT}
    assert not [name for name in moved if not name.startswith(("eth0", "dropped"))]

with section("Fragments, and what doesn't fit into the tunnel"):
    output = left.succeed(red.ping("10.0.0.2", COUNT, size=3 * MTU))
    assert answers(output) == [COUNT]
    # These aren't to be fragmented on the way: the router refuses the first, and tells the sender why.
    output = left.succeed(red.run(f"/bin/ping -i 0.01 -c 5 -W 0.5 -s {MTU - 28} 10.0.0.2"))
    assert answers(output) == [4]
    assert f"Frag needed and DF set (mtu = {INSIDE})" in output
    assert reasons(routers[left].moved()) == {"too-big": 1}
    assert not reasons(routers[right].moved())

with section("TCP, both ways"):
    for here, there, address in ((left, right, "10.0.0.2"), (right, left, "10.0.0.1")):
        (sent,) = there.succeed(
            "head -c 600000 /dev/urandom > /tmp/data; sha256sum < /tmp/data",
            workloads[there][1].serve("/tmp/data"),
        ).splitlines()
        (received,) = here.succeed(workloads[here][1].run(f"nc {address} 5000 < /dev/null | sha256sum")).splitlines()
        assert sent == received

with section("Unload under traffic"):
    for here, address in ((left, "10.0.0.2"), (right, "10.0.0.1")):
        here.succeed(workloads[here][0].run(f"{PING} {address} > /dev/null 2>&1 &"))
    for machine in (left, right):
        machine.rmmod("vrouter")

with section("The kernels have nothing to complain about"):
    for machine in (left, right):
        machine.check_kernel_log(taint="OE")
for machine in (left, right):
    machine.shutdown()
