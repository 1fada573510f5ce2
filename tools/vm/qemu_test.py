"""QEMU's command line."""

from tools.vm.plan import MachinePlan
from tools.vm.qemu import Descriptors, address, command_line

PLAN = MachinePlan(name="vm", release="6.1", vmlinux="/k", initrd=(), cmdline="quiet  loglevel=3", memory=300, cpus=2)


def words(user_network: str | None = None) -> list[str]:
    """The command line of a machine in two networks."""
    descriptors = Descriptors(monitor=3, control=4, commands=5, networks=[6, 7])
    return command_line(PLAN, "tcg", "/initrd", descriptors, [address(0, 1), address(2, 1)], user_network)


def after(option: str, line: list[str]) -> list[str]:
    """The values of an option that may stand several times."""
    return [line[index + 1] for index, word in enumerate(line) if word == option]


def test_the_plan_is_what_qemu_runs() -> None:
    line = words()
    assert after("-kernel", line) == ["/k"]
    assert after("-initrd", line) == ["/initrd"]
    assert after("-m", line) == ["300"]
    assert after("-smp", line) == ["2"]
    assert after("-accel", line) == ["tcg"]
    assert after("-append", line)[0].endswith(" quiet loglevel=3")


def test_a_machine_has_a_device_in_each_of_its_networks() -> None:
    line = words()
    assert after("-netdev", line) == [
        "stream,id=net0,server=off,addr.type=fd,addr.str=6",
        "stream,id=net1,server=off,addr.type=fd,addr.str=7",
    ]
    devices = [device for device in after("-device", line) if device.startswith("virtio-net-pci")]
    assert devices == [
        "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:02,romfile=",
        "virtio-net-pci,netdev=net1,mac=52:54:00:00:02:02,romfile=",
    ]


def test_the_network_to_the_host_is_the_last_device() -> None:
    assert after("-netdev", words("hostfwd=tcp::2222-:22"))[-1] == "user,id=user,hostfwd=tcp::2222-:22"
    assert after("-netdev", words(""))[-1] == "user,id=user"
    assert after("-device", words(""))[-1] == "virtio-net-pci,netdev=user,mac=52:54:00:00:02:01,romfile="
