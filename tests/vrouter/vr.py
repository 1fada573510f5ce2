"""vr and the module: what is printed, what is refused and in which words, and tables that change meanwhile."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.vm.script import section, vm

ROUTES = 2000


def shown(command: str) -> Any:
    """What a command prints with --json."""
    return json.loads(vm.succeed(f"vr {command} --json"))


def refused(command: str) -> str:
    """The message of a command that the kernel refuses."""
    result = vm.fails(f"vr {command}")
    assert result.code == 1, result
    return result.output.strip()


with section("Without the module"):
    assert refused("vif list") == "vr: module not loaded: modprobe vrouter"

vm.insmod("vrouter")
vm.succeed("ip link add veth1 type veth peer name veth2; ip link set veth1 up; ip link set veth2 up")

with section("Interfaces"):
    vm.succeed("vr vif add --name veth1 --vrf 1", "vr vif add --name veth2 --type fabric")
    (vif,) = shown("vif list --name veth1")
    assert list(vif)[:2] == ["ifindex", "name"] and (vif["name"], vif["vrf"], vif["type"]) == ("veth1", 1, "virtual")
    assert {row["name"]: row["type"] for row in shown("vif")} == {
        "vhost0": "host",
        "veth1": "virtual",
        "veth2": "fabric",
    }
    vm.succeed("vr vif set --name veth1 --vrf 2", f"vr vif get --ifindex {vif['ifindex']} | grep -q veth1")
    assert shown("vif get --name veth1")["vrf"] == 2
    assert refused("vif add --name veth1 --vrf 1") == "vr: --name: there already (File exists)"
    assert refused("vif add --name lo --vrf 1").startswith("vr: --name: ")
    assert refused(f"vif add --ifindex {vif['ifindex']} --vrf 1").startswith("vr: --ifindex: ")
    assert refused("vif add --name absent --vrf 1") == "vr: --name: no network device 'absent'"

with section("Next hops"):
    vm.succeed(
        "vr nh add --id 1 --type encap --name veth1 --dmac 02:00:00:00:00:0a",
        "vr nh add --id 2 --type tunnel --name veth2 --dmac 02:00:00:00:00:0b"
        " --local 192.0.2.1 --remote 192.0.2.2 --label 1048575",
        "vr nh add --id 3 --type discard",
        "vr nh replace --id 3 --type receive",
        "vr nh replace --id 4 --type discard",
    )
    assert [row["type"] for row in shown("nh")] == ["encap", "tunnel", "receive", "discard"]
    assert shown("nh get --id 2") == {
        "id": 2,
        "type": "tunnel",
        "ifindex": next(row["ifindex"] for row in shown("vif") if row["name"] == "veth2"),
        "dmac": "02:00:00:00:00:0b",
        "local": "192.0.2.1",
        "remote": "192.0.2.2",
        "label": 1048575,
        "users": 0,
    }
    assert refused("nh add --id 9 --type encap --name veth1") == "vr: --dmac: required (Invalid argument)"
    assert refused("nh add --id 9 --type encap --dmac 02:00:00:00:00:01") == "vr: --name: required (Invalid argument)"
    assert refused("vif del --name veth1").startswith("vr: --name: ")

with section("Routes and labels"):
    vm.succeed(
        "vr rt add --vrf 2 --prefix 10.0.1.0/24 --nh 1",
        "vr rt add --vrf 2 --prefix 0.0.0.0/0 --nh 2",
        "vr rt replace --vrf 2 --prefix 10.0.1.0/24 --nh 3",
        "vr mpls add --label 16 --nh 1",
    )
    assert shown("rt lookup --vrf 2 --address 10.0.1.255") == {"vrf": 2, "prefix": "10.0.1.0/24", "nh": 3}
    assert shown("rt lookup --vrf 2 --address 10.0.2.0")["prefix"] == "0.0.0.0/0"
    assert {row["prefix"] for row in shown("rt list --vrf 2")} == {"10.0.1.0/24", "0.0.0.0/0"}
    assert shown("rt list --vrf 1") == [] and shown("mpls") == [{"label": 16, "nh": 1}]
    table = vm.succeed("vr rt list --vrf 2").splitlines()
    assert table[0].split() == ["vrf", "prefix", "nh"] and len({line.index(line.split()[1]) for line in table}) == 1
    assert refused("rt lookup --vrf 3 --address 10.0.1.1").startswith("vr: --address: ")
    assert refused("rt add --vrf 2 --prefix 10.0.3.0/24 --nh 99").startswith("vr: --nh: ")
    assert refused("nh del --id 1").startswith("vr: --id: ")

with section("Drop counters"):
    reasons = {row["reason"]: row["packets"] for row in shown("drops")}
    assert reasons["no-route"] == 0 and set(map(type, reasons.values())) == {int}
    assert {row["reason"] for row in shown("drops --nonzero")} == {name for name, count in reasons.items() if count}

with section("Who may change something"):
    # The namespace's root isn't the host's.
    said = vm.fails("unshare -U vr nh add --id 9 --type discard").output
    assert said == "vr: 'vr nh add' needs CAP_NET_ADMIN; run it as root\n"
    vm.succeed("unshare -U vr nh list")

with section("Batches"):
    vm.succeed("printf 'nh add --id 4 --type discard\\nnh del --id 5\\nnh add --id 6 --type discard\\n' >/tmp/batch")
    assert refused("batch /tmp/batch") == "vr: /tmp/batch:1: --id: there already (File exists)"
    lines = refused("batch --force /tmp/batch").splitlines()
    assert [line.partition(": --id: ")[0] for line in lines] == ["vr: /tmp/batch:1", "vr: /tmp/batch:2"]
    said = vm.succeed("printf 'nh get --id 6\\nnh del --id 6\\nrt list --vrf 1\\n' | vr batch - --json")
    assert json.loads(said) == [{"id": 6, "type": "discard", "users": 0}, []]

with section("Lists of a table that changes meanwhile"):
    vm.succeed(
        f"for i in $(seq {ROUTES}); do echo rt add --vrf 5 --prefix 10.$((i / 256)).$((i % 256)).0/24 --nh 4; done"
        " | vr batch -",
        "for i in $(seq 100); do echo rt add --vrf 5 --prefix 11.0.0.0/8 --nh 4; echo rt del --vrf 5"
        " --prefix 11.0.0.0/8; done >/tmp/changes",
        "until [ -e /tmp/enough ]; do vr batch /tmp/changes; done >/dev/null 2>&1 &",
    )
    for _ in range(5):
        prefixes = [row["prefix"] for row in shown("rt list --vrf 5")]
        assert len(set(prefixes)) == len(prefixes) and len(set(prefixes) - {"11.0.0.0/8"}) == ROUTES
    vm.succeed("touch /tmp/enough; while pidof vr; do :; done")

vm.rmmod("vrouter")
vm.check_kernel_log()
