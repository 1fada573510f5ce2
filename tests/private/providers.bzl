"""Providers of tests in virtual machines."""

InitramfsInfo = provider(
    "The first part of a guest's initramfs: programs, libraries and /init.",
    fields = {
        "archive": "File: a cpio archive (newc).",
    },
)

VmMachineInfo = provider(
    "A virtual machine of a test.",
    fields = {
        "cmdline": "string: words for the kernel's command line.",
        "cpus": "int: the number of processors.",
        "image": "KernelImageInfo: the kernel that it boots.",
        "initrd": "list of File: cpio archives, which together are its initramfs.",
        "memory": "int: its memory in MiB.",
        "modules": "list of string: the file names of the modules under test, which it has in /modules.",
        "name": "string: its name in the test's script.",
        "networks": "list of string: the networks that it has an Ethernet device in: eth0, eth1 and so on.",
    },
)
