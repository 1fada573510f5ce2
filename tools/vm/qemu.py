"""QEMU's command line for a machine of a test."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.vm.plan import MachinePlan

PROGRAM = "/usr/bin/qemu-system-x86_64"

# Without what no test uses and kernels look for. Not "pc": old kernels take 0.3 s to route its interrupts.
_MACHINE = "q35,i8042=off,hpet=off,sata=off,smbus=off,smm=off,vmport=off"
# The plainest processor: under TCG newer ones cost more (SMAP, five levels of page tables), and for
# an Intel one kernels isolate page tables. RDRAND, or programs wait for entropy.
_CPU = "qemu64,+rdrand"

# For all kernels and accelerators alike. Times that a kernel takes for a hang are below the driver's own
# limit of silence (heartbeat.LIMIT): the kernel's report comes first, which has a trace. A soft lockup
# comes before an RCU stall, or it would be reported as one whenever a grace period is due.
_KERNEL = (
    "console=ttyS0",
    # A panic ends the machine at once: QEMU exits instead of a restart (-no-reboot).
    "panic=-1",
    "unknown_nmi_panic",
    "watchdog_thresh=3",  # seconds; a soft lockup is twice as long
    "rcupdate.rcu_cpu_stall_timeout=9",
    "sysctl.kernel.hung_task_timeout_secs=10",
    "sysctl.kernel.hung_task_check_interval_secs=1",
    # What takes time at boot and tells nothing: self-tests of ciphers, calibration against other clocks.
    "cryptomgr.notests",
    "tsc=reliable",
    "no_timer_check",
)


@dataclass(frozen=True)
class Descriptors:
    """Open files that QEMU inherits, by number: sockets of the driver.

    networks: one for each of the machine's networks, in their order.
    """

    monitor: int
    control: int
    commands: int
    networks: Sequence[int]


def address(network: int, machine: int) -> str:
    """The Ethernet address of a machine's device in a network, both by number; QEMU's own prefix."""
    return f"52:54:00:00:{network:02x}:{machine + 1:02x}"


def command_line(
    plan: MachinePlan,
    accelerator: str,
    initrd: str,
    descriptors: Descriptors,
    addresses: Sequence[str],
    user_network: str | None = None,
) -> list[str]:
    """The words that start a machine; its console is QEMU's standard input and output.

    `initrd` is one file; `addresses` are those of its network devices; `user_network` are options
    of a network to the host, such as `hostfwd=tcp::2222-:22`, or None for no such network.
    """
    words = [
        PROGRAM, "-name", plan.name,
        "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-machine", _MACHINE, "-cpu", _CPU, "-accel", accelerator, "-m", str(plan.memory), "-smp", str(plan.cpus),
        "-kernel", plan.vmlinux, "-initrd", initrd,
        "-append", " ".join([*_KERNEL, *plan.cmdline.split()]),
        "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
        "-chardev", f"socket,id=control,fd={descriptors.control}", "-serial", "chardev:control",
        "-chardev", f"socket,id=commands,fd={descriptors.commands}",
        "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=commands",
        "-chardev", f"socket,id=monitor,fd={descriptors.monitor}", "-mon", "chardev=monitor,mode=control",
    ]  # fmt: skip
    for number, (descriptor, mac) in enumerate(zip(descriptors.networks, addresses, strict=True)):
        words += ["-netdev", f"stream,id=net{number},server=off,addr.type=fd,addr.str={descriptor}"]
        words += ["-device", _device(f"net{number}", mac)]
    if user_network is not None:
        words += ["-netdev", ",".join(filter(None, ["user,id=user", user_network]))]
        words += ["-device", _device("user", address(len(descriptors.networks), 0))]
    return words


def _device(network: str, mac: str) -> str:
    # No option ROM: nothing boots from the network, and the BIOS would run it.
    return f"virtio-net-pci,netdev={network},mac={mac},romfile="
