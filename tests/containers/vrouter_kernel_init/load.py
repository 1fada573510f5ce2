"""What the entrypoint of vrouter-kernel-init does on a real kernel, in a chroot of the image's tree."""

from typing import TYPE_CHECKING

from tests.kernels.router import Router, Workload, answers

if TYPE_CHECKING:
    from tools.vm.script import log, section, vm

IMAGE = "/image"
MODULES = f"{IMAGE}/usr/lib/modules"
MODULE = f"{MODULES}/{vm.release}/updates/vrouter.ko"
WITHOUT_RIGHT = "/usr/bin/setpriv --inh-caps=-all --bounding-set=-sys_module"
HOST = f"{IMAGE}/host/lib/modules/{vm.release}"


def start(environment: str = "", before: str = "") -> str:
    """The command that starts the container's program, with variables, and by another program."""
    return f"{environment} chroot {IMAGE} {before} /usr/local/bin/entrypoint.sh"


def edit(before: str, after: str) -> str:
    """The command that changes a word of the same length in the image's module."""
    assert len(before) == len(after)
    return f"chroot {IMAGE} /usr/bin/sed -i 's/{before}/{after}/' {MODULE.removeprefix(IMAGE)}"


def refused(code: int, *texts: str, command: str = "") -> None:
    """The entrypoint must end with a code and a message that has these texts."""
    result = vm.fails(command or start())
    assert result.code == code, result.output
    for text in texts:
        assert text in result.output, result.output


with section("The file systems of a container"):
    vm.succeed(
        *(f"mkdir -p {IMAGE}/{name} && mount --bind /{name} {IMAGE}/{name}" for name in ("dev", "proc", "sys")),
        f"cp {MODULE} /tmp/vrouter.ko",
    )
    others = sorted(set(vm.succeed(f"ls {MODULES}").split()) - {vm.release})
    assert len(others) >= 2

with section("A wrong variable is named"):
    refused(
        64, "VROUTER_IF_OTHER='maybe': expected one of: fail, keep, replace", command=start("VROUTER_IF_OTHER=maybe")
    )
    refused(64, "VROUTER_HOST='host': expected the absolute path", command=start("VROUTER_HOST=host"))

with section("A kernel that the image lacks"):
    vm.succeed(f"rm -r {MODULES}/{vm.release}")
    refused(65, f"there is no vrouter.ko for the running kernel, {vm.release}", *(f"\n  {other}\n" for other in others))

with section("A module of another kernel under this one's name"):
    vm.succeed(f"mkdir -p {MODULES}/{vm.release}/updates", f"cp {MODULES}/{others[0]}/updates/vrouter.ko {MODULE}")
    refused(66, f"it was built for kernel {others[0]}, and {vm.release} is running")

with section("What is no module"):
    vm.succeed(f"echo text > {MODULE}")
    refused(66, f"{MODULE.removeprefix(IMAGE)}: it is no module")

with section("Without the right to load modules"):
    vm.succeed(f"cp /tmp/vrouter.ko {MODULE}")
    refused(
        67,
        "give it CAP_SYS_MODULE",
        command=start(before=WITHOUT_RIGHT),
    )

with section("A module that the kernel refuses"):
    vm.succeed(edit("mod_unload", "mod_unfold"))
    refused(69, f"kernel {vm.release} refuses", "Invalid module format")

with section("A module that needs one of the host's"):
    vm.succeed(f"cp /modules/user.ko {MODULE}")
    refused(68, "vrouter.ko needs the module provider", f"from /host/lib/modules/{vm.release}")
    vm.succeed(
        f"mkdir -p {HOST}", f"cp /modules/provider.ko {HOST}", f"chroot {IMAGE} /usr/sbin/depmod -b /host {vm.release}"
    )
    vm.succeed(start(), "grep ^provider /proc/modules", "rmmod user", "rmmod provider")
    assert "vrouter" not in vm.succeed("cat /proc/modules")

with section("The module of the running kernel"):
    vm.succeed(f"cp /tmp/vrouter.ko {MODULE}")
    assert f"is loaded into kernel {vm.release}" in vm.succeed(start())

with section("It forwards"):
    red_a, red_b = Workload("red-a", 1, 11, ("10.0.0.1",)), Workload("red-b", 1, 12, ("10.0.0.2",))
    router = Router(vm, log)
    router.add([red_a, red_b])
    assert answers(vm.succeed(red_a.ping("10.0.0.2", 10))) == [10]

with section("It is loaded already"):
    assert "is loaded already, of the same source" in vm.succeed(start(before=WITHOUT_RIGHT))

with section("Another one is loaded already"):
    source = vm.succeed("cat /sys/module/vrouter/srcversion").strip()
    vm.succeed(edit(f"srcversion={source}", f"srcversion=Z{source[1:]}"))
    assert "it stays (VROUTER_IF_OTHER=keep)" in vm.succeed(start())
    refused(70, "another vrouter is loaded already", source, command=start("VROUTER_IF_OTHER=fail"))
    assert vm.succeed("cat /sys/module/vrouter/srcversion").strip() == source
    vm.succeed(start("VROUTER_IF_OTHER=replace"))
    assert vm.succeed("cat /sys/module/vrouter/srcversion").strip() == f"Z{source[1:]}"

vm.check_kernel_log(taint="OE", known=r"vrouter: version magic '.*' should be '.*'")
vm.shutdown()
