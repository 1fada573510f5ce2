"""A machine with vrouter.ko and its workloads, as the scripts of VM tests use it.

A workload is a network namespace that is joined to the router by a pair of veth devices: the end in
the namespace is eth0, the router's end has the workload's name. Everything that a workload sends goes
to its gateway, which is the router.
"""

import base64
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

GATEWAY = "10.0.0.254"
MTU = 9000
# A next hop of every router here.
RECEIVE = 1

# Each echo request as soon as the one before it is answered. The interval is for answers that don't come:
# if an answer were only late, there'd be one request more than the tests count on.
PING = "busybox ping -q -A -i 5"

_COUNTERS = ("rx-packets", "rx-bytes", "tx-packets", "tx-bytes", "drops", "icmp-errors")


class Machine(Protocol):
    """What is needed of a machine of tools/vm."""

    def succeed(self, *commands: str) -> str:
        """Runs commands, which must not fail; what they print."""


@dataclass(frozen=True)
class Workload:
    """One tenant's machine.

    hop: the number, below 100, of the next hop that leads to it.
    addresses: those that the router has routes to.
    unrouted: those that it hasn't.
    """

    name: str
    vrf: int
    hop: int
    addresses: tuple[str, ...]
    unrouted: tuple[str, ...] = ()

    @property
    def mac(self) -> str:
        """The address of its eth0."""
        return f"02:00:00:00:00:{self.hop:02}"

    def run(self, command: str) -> str:
        """The command that runs `command` in its namespace."""
        return f"nsenter --net=/run/netns/{self.name} {command}"

    def serve(self, file: str, port: int = 5000) -> str:
        """Sends the file to everybody who connects; ends when somebody can."""
        server = self.run(f"nc -ll -p {port} -e cat {file} < /dev/null > /dev/null 2>&1 &")
        listens = self.run(f"grep -qs ':{port:04X} .* 0A ' /proc/net/tcp /proc/net/tcp6")
        return f"{server} until {listens}; do :; done"

    def ping(self, address: str, count: int, size: int = 56) -> str:
        """Sends echo requests as `ping` does."""
        return self.run(ping(address, count, size))

    def ping_in_vain(self, address: str, count: int) -> str:
        """Sends echo requests all at once, and hardly waits for answers, which busybox does for a second."""
        return self.run(f"/bin/ping -q -l {count} -c {count} -W 0.05 {address}")

    def setup(self) -> str:
        """The command that makes its network ready."""
        addresses = self.addresses + self.unrouted
        steps = [
            # To ask again for the gateway's MAC would be a packet too many in the counts.
            "echo 3600000 > /proc/sys/net/ipv4/neigh/eth0/base_reachable_time_ms",
            "ip link set eth0 up",
            *(f"ip addr add {address}/32 dev eth0" for address in addresses),
            f"ip route add default via {GATEWAY} dev eth0 onlink",
        ]
        return self.run(f"sh -e -c '{'; '.join(steps)}'")


def ping(address: str, count: int, size: int = 56) -> str:
    """Sends echo requests, each as soon as the one before it is answered; for 10 s at most, if they are lost."""
    return f"{PING} -w 10 -c {count} -s {size} {address}"


def answers(output: str) -> list[int]:
    """How many echo requests of each ping were answered."""
    return [int(count) for count in re.findall(r"packets transmitted, (\d+)", output)]


def unpack(text: str, path: str) -> str:
    """The command that writes a long text to a file; compressed, it's sooner in the machine."""
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return f"echo {packed} | base64 -d | gunzip > {path}"


class Router:
    """The router of a machine. `log` takes what is worth reading in the test's log."""

    def __init__(self, machine: Machine, log: Callable[[str], None]) -> None:
        self._machine = machine
        self._log = log
        self._last: Counter[str] = Counter()

    def vr(self, *lines: str) -> Any:
        """Runs commands of `vr` over one socket; what each of them shows, if it shows something."""
        text = "\n".join(lines)
        return json.loads(self._machine.succeed(f"vr batch - --json <<'END'\n{text}\nEND"))

    def add(self, workloads: Sequence[Workload], *further: str) -> None:
        """Starts workloads and joins them to the router; `further` are lines for `ip -batch`."""
        links = [*further]
        lines = [f"nh add --id {RECEIVE} --type receive"]
        for one in workloads:
            links += [
                f"netns add {one.name}",
                f"link add {one.name} mtu {MTU} up type veth"
                f" peer name eth0 mtu {MTU} address {one.mac} netns {one.name}",
            ]
            lines += [
                f"vif add --name {one.name} --vrf {one.vrf}",
                f"nh add --id {one.hop} --type encap --name {one.name} --dmac {one.mac}",
                *(f"rt add --vrf {one.vrf} --prefix {address}/32 --nh {one.hop}" for address in one.addresses),
            ]
        lines += [f"rt add --vrf {vrf} --prefix {GATEWAY}/32 --nh {RECEIVE}" for vrf in {one.vrf for one in workloads}]
        self._machine.succeed("/bin/ip -batch - <<'END'\n" + "\n".join(links) + "\nEND")
        self._machine.succeed(*(one.setup() for one in workloads))
        self.vr(*lines)

    def moved(self) -> Counter[str]:
        """What the counters have grown by since they were last asked for, zeros left out.

        Their names are like "red-a rx-packets" and "dropped no-route". What went in must have come
        out or have been dropped for a reason.
        """
        vifs, drops = self.vr("vif list", "drops list")
        now = Counter({f"{vif['name']} {name}": vif[name] for vif in vifs for name in _COUNTERS})
        now.update({f"dropped {drop['reason']}": drop["packets"] for drop in drops})
        grown, self._last = now - self._last, now
        self._log(", ".join(f"{name} {count}" for name, count in sorted(grown.items())) or "no packet")
        came = total(grown, "rx-packets") + total(grown, "icmp-errors")
        left, dropped = total(grown, "tx-packets"), total(grown, "drops")
        by_reason = sum(reasons(grown).values())
        assert came == left + dropped, f"{came} packets came into the router, {left} left it, {dropped} were dropped"
        assert dropped == by_reason, f"the interfaces dropped {dropped} packets, and there are reasons for {by_reason}"
        return grown


def total(counters: Counter[str], name: str) -> int:
    """The sum of a counter over all interfaces."""
    return sum(count for key, count in counters.items() if key.endswith(f" {name}"))


def reasons(counters: Counter[str]) -> dict[str, int]:
    """Dropped packets by reason."""
    return {key.removeprefix("dropped "): count for key, count in counters.items() if key.startswith("dropped ")}
