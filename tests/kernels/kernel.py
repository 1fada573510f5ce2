"""What a kernel's vrouter.ko must do, from load to unload, with the traffic of two tenants through it.

Both tenants use the same addresses, each in a VRF of its own:

    red-a    10.0.0.1 ───── VRF 1 ───── red-b    10.0.0.2
    blue-a   10.0.0.1 ───── VRF 2 ───── blue-b   10.0.0.2 and 10.0.0.3, which red doesn't have

The router's counters are the witness: they say where a packet went, and why one was dropped.
"""

import os
import time
from typing import TYPE_CHECKING

from tests.kernels.random_changes import KEYS, Tables, by_key
from tests.kernels.router import GATEWAY, MTU, PING, RECEIVE, Router, Workload, answers, ping, reasons, unpack

if TYPE_CHECKING:
    from tools.vm.script import log, record, section, vm

# Packets of a probe: well above what the kernel keeps of packet buffers, or a leak wouldn't show.
COUNT = 200
CHANGES = 1000
# Other changes for each kernel, and the same ones each time.
SEED = os.environ.get("VM_SEED") or vm.release

red_a = Workload("red-a", 1, 11, ("10.0.0.1",))
red_b = Workload("red-b", 1, 12, ("10.0.0.2",), unrouted=("198.51.100.7", "10.1.9.9", "10.1.2.1", "10.1.2.3"))
blue_a = Workload("blue-a", 2, 21, ("10.0.0.1",))
blue_b = Workload("blue-b", 2, 22, ("10.0.0.2", "10.0.0.3"))
DISCARD = 2  # a next hop, too
router = Router(vm, log)


def packet_buffers() -> int:
    """How many packet buffers are in use, after the kernel has given back what it keeps for later."""
    cache = "skbuff_head_cache"
    return int(vm.succeed(f"echo 1 > /sys/kernel/slab/{cache}/shrink; grep {cache} /proc/slabinfo").split()[1])


def moves(workload: Workload) -> str:
    """The shell's words that wait until the router has sent one more packet to the workload."""
    sent = f"/sys/class/net/{workload.name}/statistics/tx_packets"
    return f"read before < {sent}; now=$before; while [ $now = $before ]; do read now < {sent}; done"


with section("Load"):
    start = time.monotonic()
    vm.insmod("vrouter.ko")
    record("load_seconds", round(time.monotonic() - start, 3))
    record("traffic", "failed")
    (version,) = router.vr("version")
    output = vm.succeed(
        "grep ^vrouter /proc/modules; cat /sys/module/vrouter/version; sha256sum < /modules/vrouter.ko"
    )
    loaded, of_module, digest = output.splitlines()
    record("memory", int(loaded.split()[1]))
    # By this //tests:matrix knows whether the module was built anew since.
    record("module_sha256", digest.split()[0])
    assert version["module"] == of_module

with section("Two tenants with the same addresses"):
    router.add([red_a, red_b, blue_a, blue_b], "link add wire up type veth peer name far")
    # From here on everybody knows the gateway's MAC, and nobody asks for it again.
    output = vm.succeed(red_a.ping("10.0.0.2", 1), blue_a.ping("10.0.0.2", 1))
    assert answers(output) == [1, 1]
    buffers = packet_buffers()
    router.moved()

with section("ARP is answered for what there is a route to"):
    ask = red_a.run("arping -q -f -c 1 -w 1 -I eth0")
    vm.succeed(
        f"{ask} {GATEWAY}",
        # It waits for its answer for a second, and what isn't answered can be seen at once.
        f"({ask} 10.0.0.3; > /tmp/asked) & until vr drops --nonzero | grep -q ^arp || test -e /tmp/asked; do :; done",
    )
    assert reasons(router.moved()) == {"arp": 1}

with section("Traffic inside each tenant"):
    output = vm.succeed(red_a.ping("10.0.0.2", COUNT), blue_b.ping("10.0.0.1", COUNT + 1))
    moved = router.moved()
    assert answers(output) == [COUNT, COUNT + 1]
    for one, count in ((red_a, COUNT), (red_b, COUNT), (blue_a, COUNT + 1), (blue_b, COUNT + 1)):
        assert moved[f"{one.name} rx-packets"] == moved[f"{one.name} tx-packets"] == count
    assert not reasons(moved)

with section("No traffic between the tenants"):
    vm.fails(red_a.ping_in_vain("10.0.0.3", COUNT))
    moved = router.moved()
    assert not [name for name in moved if name.startswith("blue")]
    assert reasons(moved) == {"no-route": COUNT}
    assert answers(vm.succeed(blue_a.ping("10.0.0.3", 1))) == [1]

with section("The longest prefix wins, and discard discards"):
    # Each longer prefix reverses what the shorter ones say; red-b has an address under each.
    routes = {"0.0.0.0/0": red_b.hop, "10.1.0.0/16": DISCARD, "10.1.2.0/24": red_b.hop, "10.1.2.3/32": DISCARD}
    router.vr(
        f"nh add --id {DISCARD} --type discard",
        *(f"rt add --vrf 1 --prefix {prefix} --nh {hop}" for prefix, hop in routes.items()),
    )
    output = vm.succeed(
        red_a.ping("198.51.100.7", COUNT),
        red_a.ping_in_vain("10.1.9.9", COUNT) + " || true",
        red_a.ping("10.1.2.1", COUNT),
        red_a.ping_in_vain("10.1.2.3", COUNT) + " || true",
    )
    assert answers(output) == [COUNT, 0, COUNT, 0]
    assert reasons(router.moved()) == {"discard": 2 * COUNT}

with section("A large packet, and TCP in segments that are still to be cut"):
    output = vm.succeed(red_a.ping("10.0.0.2", 20, size=MTU - 28))
    moved = router.moved()
    assert answers(output) == [20]
    assert moved["red-b tx-packets"] == 20 and moved["red-b tx-bytes"] == 20 * (MTU + 14)
    sent, received = vm.succeed(
        "head -c 600000 /dev/urandom > /tmp/data; sha256sum < /tmp/data",
        red_b.serve("/tmp/data"),
        red_a.run("nc 10.0.0.2 5000 < /dev/null | sha256sum"),
    ).splitlines()
    moved = router.moved()
    assert sent == received
    assert moved["red-a tx-bytes"] > MTU * moved["red-a tx-packets"], "no segments came uncut"
    assert moved["red-a tx-bytes"] == moved["red-b rx-bytes"], "segments were cut on the way"

with section("Fragments, on a path that takes less than its first hop"):
    vm.succeed("busybox ip link set red-b mtu 1500", red_b.run("ip link set eth0 mtu 1500"))
    # The sender doesn't know. It cuts such a packet into four, of which the router makes still smaller ones.
    output = vm.succeed(red_a.ping("10.0.0.2", 20, size=3 * MTU))
    moved = router.moved()
    assert answers(output) == [20]
    assert moved["red-a rx-packets"] == 20 * 4
    # These aren't to be fragmented on the way: the router refuses the first, and tells the sender why.
    output = vm.succeed(red_a.run(f"/bin/ping -i 0.01 -c 5 -W 0.1 -s {MTU - 28} 10.0.0.2"))
    assert answers(output) == [4]
    assert "Frag needed and DF set (mtu = 1500)" in output
    assert reasons(router.moved()) == {"too-big": 1}

with section("The host receives, and sends, in VRF 0"):
    host = "192.0.2.1"
    router.vr(
        *(f"rt add --vrf 0 --prefix {address}/32 --nh {RECEIVE}" for address in (host, GATEWAY)),
        f"rt add --vrf 0 --prefix 10.0.0.2/32 --nh {blue_b.hop}",
        "vif set --name blue-b --vrf 0",
    )
    output = vm.succeed(
        f"busybox ip addr add {host}/32 dev vhost0",
        "busybox ip link set vhost0 up",
        f"busybox ip route add 10.0.0.2 dev vhost0 src {host}",
        ping("10.0.0.2", COUNT),
        blue_b.ping(host, COUNT),
    )
    moved = router.moved()
    assert answers(output) == [COUNT, COUNT]
    # Two of each, and the host's question for the MAC of 10.0.0.2.
    assert moved["vhost0 rx-packets"] == moved["vhost0 tx-packets"] == 2 * COUNT + 1
    router.vr("vif set --name blue-b --vrf 2")

with section("Requests that are refused"):
    refusals = {
        "nh del --id 12": "--id: routes or labels name it",
        "vif del --name red-b": "--name: next hops send out of it",
        "rt add --vrf 1 --prefix 10.2.0.0/16 --nh 77": "--nh: no such next hop",
        "rt add --vrf 1 --prefix 10.1.0.0/16 --nh 1": "--prefix: there already",
    }
    output = vm.fails("vr batch - --force <<'END'\n{}\nEND".format("\n".join(refusals))).output
    for line, (refused, message) in enumerate(refusals.items(), start=1):
        assert f":{line}: {message}" in output, refused

with section(f"{CHANGES} random changes under traffic"):
    log(f"VM_SEED={SEED} before the command makes the same changes")
    record("seed", SEED)
    lists = [f"{kind} list" for kind in KEYS]
    # A tunnel's next hop sends out of a fabric interface.
    *before, vifs = router.vr("vif add --name wire --type fabric", *lists, "vif list")
    ifindex = {vif["name"]: vif["ifindex"] for vif in vifs}
    model = Tables(SEED, dict(zip(KEYS, before, strict=True)), [ifindex["red-b"], ifindex["blue-a"]], ifindex["wire"])
    changes = [model.change() for _ in range(CHANGES)]
    output = vm.succeed(
        unpack("\n".join(changes), "/tmp/changes"),
        # Before it sends, ping takes no signal.
        red_a.run(f"{PING} 10.0.0.2 > /tmp/answers")
        + f" & {moves(red_a)}; vr batch /tmp/changes; code=$?; kill -INT $!; wait $!; exit $code",
        "cat /tmp/answers",
    )
    moved = router.moved()
    # The last echo may be on its way when ping is told to stop.
    assert COUNT < moved["red-a rx-packets"] - 1 <= answers(output)[0]
    assert not reasons(moved)
    # The last changes may have come after the last packet.
    assert answers(vm.succeed(red_a.ping("10.0.0.2", COUNT) + " || true")) == [COUNT]
    for kind, after in zip(KEYS, router.vr(*lists), strict=True):
        assert by_key(kind, after) == model.tables[kind]
        if kind == "nh":
            assert [hop["users"] for hop in after] == [model.users(hop["id"], "rt", "mpls") for hop in after]

with section("No packet buffer has leaked"):
    leaked = packet_buffers() - buffers
    assert leaked < COUNT / 2

with section("Unload under traffic"):
    vm.succeed(*(one.run(f"{PING} 10.0.0.2 > /dev/null 2>&1 &") for one in (red_a, blue_a)))
    vm.succeed(moves(red_b))
    vm.rmmod("vrouter")
    assert "module not loaded" in vm.fails("vr version").output
    vm.succeed("! test -e /sys/class/net/vhost0")
    record("traffic", "passed")

with section("The kernel has nothing to complain about"):
    vm.check_kernel_log(taint="OE")
vm.shutdown()
