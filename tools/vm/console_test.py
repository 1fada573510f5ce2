"""What kernels report on the console. The texts of testdata/ are those of real kernels, made by tests/vm/broken."""

from pathlib import Path

import pytest

from tools.vm.console import Line, Watcher, kind_of, message_of
from tools.vm.failure import Failure

DATA = Path(__file__).parent / "testdata"

_NULL = "BUG: kernel NULL pointer dereference, address: 0000000000000000 in do_oops+0x15/0x30 [trouble]"
_CUT, _END = "------------[ cut here", "---[ end trace"
_SAID = "trouble was asked for: WARNING: "
_LOCKUP = "watchdog: BUG: soft lockup - CPU#0 stuck for "
# Console, kind, reason, and how the trace begins and ends.
REPORTS = [
    ("oops-5.10", "oops", _NULL, "BUG: kernel NULL", _END),
    ("oops-6.1", "oops", _NULL, "BUG: kernel NULL", _END),
    ("bug-6.1", "oops", "kernel BUG at /build/source/trouble.c:41! in do_bug+0x5/0x10 [trouble]", _CUT, _END),
    ("bug-7.3", "oops", "kernel BUG at trouble.c:41! in do_bug+0x9/0x10 [trouble]", _CUT, _END),
    (
        "warn-5.10",
        "warning",
        f"{_SAID}CPU: 0 PID: 78 at /build/source/trouble.c:37 do_warn+0x11/0x18 [trouble]",
        _CUT,
        _END,
    ),
    ("warn-7.3", "warning", f"{_SAID}trouble.c:36 at do_warn+0x10/0x20 [trouble], CPU#0: insmod/96", _CUT, _END),
    ("panic-7.3", "panic", "Kernel panic - not syncing: trouble was asked for", "Kernel panic", "Kernel Offset"),
    (
        "nmi-6.1",
        "panic",
        "Kernel panic - not syncing: NMI: Not continuing in do_hang+0xd/0x10 [trouble]",
        "Kernel panic",
        "Kernel Offset",
    ),
    ("hung-task-6.1", "hung-task", "INFO: task insmod:91 blocked for more than 10 seconds.", "INFO: task", " </TASK>"),
    ("soft-lockup-5.10", "lockup", f"{_LOCKUP}7s! [insmod:78] in do_soft_lockup+0x7/0x10 [trouble]", "watchdog:", ""),
    # The console is printed by a thread in 7.3: the report comes with that of the NMI.
    (
        "soft-lockup-7.3",
        "lockup",
        f"{_LOCKUP}8s! [insmod:96] in do_soft_lockup+0x13/0x20 [trouble]",
        "watchdog:",
        "Kernel Offset",
    ),
    (
        "rcu-stall-7.3",
        "rcu-stall",
        "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks: in do_rcu_stall+0x23/0x30 [trouble]",
        "rcu: INFO",
        "",
    ),
]


def console(name: str) -> bytes:
    """A recorded console, as it comes from the serial line."""
    return (DATA / f"{name}.txt").read_bytes().replace(b"\n", b"\r\n")


def watch(data: bytes, size: int = 4096, booted: bool = True) -> tuple[Failure | None, list[Line]]:
    """What is seen on a console whose bytes come in pieces of this size, and then no more."""
    watcher, lines, now = Watcher("vm"), [], 0.0
    watcher.booted = booted
    for start in range(0, len(data), size):
        now += 1e-5 * size
        lines += watcher.feed(data[start : start + size], now)
        watcher.poll(now)
    watcher.poll(now + 10.0)
    return watcher.failure, lines


@pytest.mark.parametrize(("name", "kind", "reason", "first", "last"), REPORTS)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_what_kernels_report(name: str, kind: str, reason: str, first: str, last: str, size: int) -> None:
    failure, lines = watch(console(name), size)
    assert failure
    assert (failure.kind, failure.reason, failure.machine) == (kind, f"vm: {reason}", "vm")
    assert (message_of(failure.trace[0]) or "").startswith(first)
    assert (message_of(failure.trace[-1]) or "").startswith(last)
    assert [line.text for line in lines if line.trouble] == list(failure.trace)


@pytest.mark.parametrize("name", ["boot-5.10", "boot-7.3"])
def test_a_boot_is_no_trouble(name: str) -> None:
    failure, lines = watch(console(name), booted=False)
    assert failure is None
    assert not any(line.trouble for line in lines)
    assert [line.text for line in lines] == (DATA / f"{name}.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("BUG: unable to handle page fault for address: ffff", "oops"),
        ("BUG: scheduling while atomic: insmod/91/0x00000002", "oops"),
        ("BUG: sleeping function called from invalid context at mm/slab.h:1", "oops"),
        ("BUG kmalloc-64 (Tainted: G    B): Poison overwritten", "oops"),
        ("general protection fault, probably for non-canonical address 0x1: 0000 [#1] PREEMPT SMP", "oops"),
        ("Oops: general protection fault, probably for non-canonical address 0x1: 0000 [#1] SMP", "oops"),
        ("invalid opcode: 0000 [#1] PREEMPT SMP NOPTI", "oops"),
        ("divide error: 0000 [#2] SMP", "oops"),
        ("BUG: KASAN: slab-out-of-bounds in vr_send+0x10/0x20 [vrouter]", "warning"),
        ("UBSAN: array-index-out-of-bounds in vr_main.c:1:2", "warning"),
        ("WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 x+0x1/0x2", "warning"),
        ("WARNING: possible circular locking dependency detected", "lockdep"),
        ("WARNING: possible recursive locking detected", "lockdep"),
        ("WARNING: inconsistent lock state", "lockdep"),
        ("WARNING: suspicious RCU usage", "lockdep"),
        ("WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", "lockdep"),
        ("INFO: trying to register non-static key.", "lockdep"),
        ("rcu: INFO: rcu_sched self-detected stall on CPU", "rcu-stall"),
        ("rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... }", "rcu-stall"),
        ("INFO: rcu_tasks detected stalls on tasks:", "rcu-stall"),
        ("rcu: rcu_preempt kthread starved for 5250 jiffies!", "rcu-stall"),
        ("watchdog: BUG: soft lockup - CPU#0 stuck for 8s! [a:1]", "lockup"),
        ("watchdog: Watchdog detected hard LOCKUP on cpu 0", "lockup"),
        ("NMI watchdog: Watchdog detected hard LOCKUP on cpu 0", "lockup"),
        ("BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!", "lockup"),
        ("INFO: task kworker/0:1:12 blocked for more than 10 seconds.", "hung-task"),
        ("INFO: task a:1 blocked in I/O wait for more than 10 seconds.", "hung-task"),
        ("ip: page allocation failure: order:4, mode:0x40cc0", "warning"),
        ("vr invoked oom-killer: gfp_mask=0x1, order=0", "warning"),
        ("unregister_netdevice: waiting for veth1 to become free. Usage count = 2", "warning"),
        ("traps: vr[91] general protection fault ip:1 sp:2 error:0 in vr[1+2]", None),
        ("vr[91]: segfault at 0 ip 1 sp 2 error 4 in vr[1+2]", None),
        ("vrouter: loading out-of-tree module taints kernel.", None),
        ("Spectre V2 : WARNING: Unprivileged eBPF is enabled", None),
        ("bug: none", None),
    ],
)
def test_kinds_of_messages(message: str, kind: str | None) -> None:
    assert kind_of(message) == kind


def test_what_programs_print_is_no_report() -> None:
    failure, _ = watch(b"BUG: kernel NULL pointer dereference\r\nKernel panic - not syncing\r\n")
    assert failure is None


def test_a_report_after_half_a_line_of_a_program_is_seen() -> None:
    failure, _ = watch(b"vr: [    5.000001] Kernel panic - not syncing: x\r\n")
    assert failure and failure.kind == "panic"


def test_a_caller_in_the_time_stamp_is_passed_over() -> None:
    assert message_of("[    5.000001][   T12] hello") == "hello"
    assert message_of("[    5.000001] hello") == "hello"
    assert message_of("hello") is None


def test_a_report_is_complete_when_the_console_pauses() -> None:
    watcher = Watcher("vm")
    watcher.feed(b"[    5.000001] INFO: task a:1 blocked for more than 10 seconds.\n", 1.0)
    watcher.feed(b"[    5.000002] Call Trace:\n", 1.4)
    watcher.poll(1.8)
    assert watcher.reporting and not watcher.failure
    watcher.poll(2.0)
    assert watcher.failure and len(watcher.failure.trace) == 2


def test_a_report_that_goes_on_and_on_is_complete_some_time() -> None:
    watcher = Watcher("vm")
    for number in range(1000):
        watcher.feed(b"[    5.000001] UBSAN: again\n", number / 100)
        watcher.poll(number / 100)
    assert watcher.failure and len(watcher.failure.trace) < 500


def test_the_end_of_a_machine_ends_a_report_and_a_line() -> None:
    watcher = Watcher("vm")
    assert watcher.feed(b"[    5.000001] Kernel panic - not syncing: x", 1.0) == []
    assert watcher.close(1.1) == [Line("[    5.000001] Kernel panic - not syncing: x", trouble=True)]
    assert watcher.failure and watcher.failure.kind == "panic"


def test_a_flood_is_seen_and_named() -> None:
    line = b"[    5.000001] the same again\r\n"
    failure, _ = watch(line * 10_000)
    assert failure and failure.kind == "flood"
    assert failure.reason.endswith("within 10 s, such as: [    5.000001] the same again")
    assert len(failure.trace) == 20


def test_much_over_a_long_time_is_no_flood_up_to_a_point() -> None:
    line, watcher = b"x" * 99 + b"\n", Watcher("vm")
    watcher.booted = True
    for number in range(40_000):
        watcher.feed(line, number / 50)
    assert watcher.failure is None
    for number in range(40_000, 80_000):
        watcher.feed(line, number / 50)
    assert watcher.failure
    assert watcher.failure.reason == "vm: the console is flooded, 4096 KiB in all, such as: " + "x" * 99


def test_a_line_without_an_end_is_broken() -> None:
    watcher = Watcher("vm")
    assert [len(line.text) for line in watcher.feed(b"x" * 10_000, 1.0)] == [4096, 4096]


def test_lines_have_nothing_that_moves_a_cursor() -> None:
    assert watch(b"\x1b[31mred\x07\tand\xff\r\n")[1] == [Line("[31mred\tand\\xff")]
