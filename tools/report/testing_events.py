"""Events such as the driver writes, with a clock of their own, for tests."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TRACE = (
    "BUG: kernel NULL pointer dereference, address: 0000000000000010",
    "#PF: supervisor read access in kernel mode",
    "#PF: error_code(0x0000) - not-present page",
    "PGD 0 P4D 0",
    "Oops: 0000 [#1] PREEMPT SMP NOPTI",
    "CPU: 0 PID: 212 Comm: ping Tainted: G           OE      6.1.0-56-amd64 #1  Debian 6.1.176-1",
    "Hardware name: QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014",
    "RIP: 0010:vr_forward+0x2c/0x180 [vrouter]",
    "Call Trace:",
    " <IRQ>",
    " vr_rx_handler+0x8e/0x130 [vrouter]",
    " __netif_receive_skb_core.constprop.0+0x27b/0xee0",
    " process_backlog+0x87/0x120",
    " __napi_poll+0x2a/0x160",
    " net_rx_action+0x125/0x2f0",
    " </IRQ>",
    "---[ end trace 0000000000000000 ]---",
)


class Recorder:
    """Writes events; every call moves the clock on."""

    def __init__(self, name: str = "//tests/kernels:6.1.0-56-amd64", machines: tuple[str, ...] = ("vm",)) -> None:
        self.events: list[dict[str, Any]] = []
        self.t = 0.0
        self._open: list[int] = []
        self._ids = 0
        described = [{"name": machine, "release": "6.1.0-56-amd64"} for machine in machines]
        reason = "a probe guest under /dev/kvm gave no answer in 2 s"
        self.add("start", name=name, accel="tcg", accel_reason=reason, machines=described, date="2026-11-21T10:00:00Z")

    def add(self, kind: str, seconds: float = 0.0, **fields: Any) -> None:
        """One event, `seconds` after the one before."""
        self.t += seconds
        self.events.append({"t": round(self.t, 4), "kind": kind, **fields})

    @contextmanager
    def step(self, what: str, title: str = "", machine: str = "", ok: bool = True, **closing: str) -> Iterator[int]:
        """A step around what happens inside."""
        self._ids += 1
        step = self._ids
        parent = self._open[-1] if self._open else None
        self.add("open", 0.002, id=step, parent=parent, machine=machine or None, what=what, title=title)
        self._open.append(step)
        yield step
        self._open.pop()
        self.add("close", 0.002, id=step, ok=ok, **({"message": "", "details": ""} | closing))

    def command(self, machine: str, title: str, output: str = "", seconds: float = 0.05) -> None:
        """A command that ends well."""
        with self.step("command", title, machine) as step:
            self.t += seconds
            if output:
                self.add("output", id=step, text=output)

    def console(self, machine: str, text: str, seconds: float = 0.01, trouble: bool = False) -> None:
        """A console line with the kernel's time stamp."""
        stamped = f"[{self.t - 0.4:12.6f}] {text}"
        self.add("console", seconds, machine=machine, text=stamped, trouble=trouble)

    def boot(self, machine: str, lines: int = 60) -> None:
        """A boot that ends well."""
        with self.step("boot", "boot 6.1.0-56-amd64", machine):
            self.console(machine, "Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) (gcc-12)", 0.5)
            for number in range(lines):
                self.console(machine, f"pci 0000:00:{number:02x}.0: [8086:1237] type 00 class 0x060000", 3.2 / lines)
            self.console(machine, "virtio_net virtio0 eth0: renamed", 0.02)

    def end(self, verdict: str = "passed", **fields: Any) -> None:
        """The verdict."""
        self.add("end", 0.01, verdict=verdict, **({"reason": "", "kind_of_failure": "", "trace": []} | fields))

    def write(self, path: Path) -> Path:
        """Write events.jsonl."""
        path.write_text("".join(json.dumps(event) + "\n" for event in self.events))
        return path


def _until_traffic(recorder: Recorder, machines: tuple[str, ...]) -> None:
    for machine in machines:
        recorder.boot(machine)
    with recorder.step("section", "The module loads"):
        for machine in machines:
            with recorder.step("insmod", "insmod vrouter.ko", machine):
                recorder.console(machine, "vrouter: loading out-of-tree module taints kernel.", 0.1)
                recorder.console(machine, "vrouter: module verification failed: signature and/or key missing", 0.02)
            recorder.command(machine, "vr --json version", '{"module": "0.3", "family": "vrouter", "version": 1}\n')
    with recorder.step("section", "Two tenants with overlapping addresses"):
        for machine in machines:
            tenants = "ip netns add a && ip netns add b && ip link add vetha type veth peer name eth0 netns a"
            recorder.command(machine, tenants, seconds=0.31)
            recorder.command(machine, "vr vif add --name vetha --vrf 1 && vr vif add --name vethb --vrf 2")
        recorder.command(machines[0], "vr rt list --json", '[\n  {"vrf": 1, "prefix": "10.0.1.0/24", "nh": 3}\n]\n')
    recorder.add("log", text="tables are filled; traffic comes next", parent=None)


def passing_run(machines: tuple[str, ...] = ("vm",)) -> Recorder:
    """A run that passes, with sections in sections."""
    recorder = Recorder(machines=machines)
    _until_traffic(recorder, machines)
    with recorder.step("section", "Traffic"):
        with recorder.step("section", "Inside each tenant"):
            for machine in machines:
                reply = "64 bytes from 10.0.1.2: icmp_seq=1 ttl=63 time=1.21 ms\n\n1 packets transmitted, 1 received\n"
                recorder.command(machine, "ip netns exec a ping -c1 -W1 10.0.1.2", reply, 0.12)
        with recorder.step("section", "None between them"):
            recorder.command(machines[0], "ip netns exec a ping -c1 -W1 10.0.2.2", "1 packets transmitted\n")
    with recorder.step("wait", "until it succeeds: vr drops --json | grep -q no_route", machines[-1]):
        recorder.t += 0.8
    for machine in machines:
        with recorder.step("shutdown", "shut down", machine):
            recorder.console(machine, "reboot: Power down", 0.2)
    recorder.end()
    return recorder


def failing_run(machines: tuple[str, ...] = ("vm",), lines: int = 0) -> Recorder:
    """A run in which the kernel oopses at the first packet, after so many further console lines."""
    recorder = Recorder(machines=machines)
    _until_traffic(recorder, machines)
    machine = machines[-1]
    for number in range(lines):
        recorder.console(machines[number % len(machines)], f"vrouter: flow {number} from 10.0.1.{number % 250}", 0.0001)
    command = "ip netns exec a ping -c1 -W1 10.0.1.2"
    with (
        recorder.step("section", "Traffic", ok=False),
        recorder.step("section", "Inside each tenant", ok=False),
        recorder.step("command", command, machine, ok=False) as step,
    ):
        recorder.add("output", 0.05, id=step, text="PING 10.0.1.2 (10.0.1.2) 56(84) bytes of data.\n")
        for line in TRACE:
            recorder.console(machine, line, 0.001, trouble=line is TRACE[0])
    trace = [event["text"] for event in recorder.events if event["kind"] == "console"][-len(TRACE) :]
    place = 'tests/kernels/kernel.py:63: vm.succeed(red_a.ping("10.0.1.2"))'
    recorder.end("failed", reason=TRACE[0], kind_of_failure="oops", trace=trace, machine=machine, place=place)
    return recorder
