"""KVM or TCG: KVM only where a probe guest really ran.

A /dev/kvm that opens proves nothing: where this machine is itself a guest, its kernel may not run, or
be emulated instruction by instruction, which for a kernel is the same. So the probe does what a kernel
does, counting in 64-bit mode with paging on, for so long that an emulator can't do it in time.

The probe calls KVM itself (Documentation/virt/kvm/api.rst): that costs a few milliseconds, a QEMU as
much as half a second. It runs in a process of its own, which can be killed.
"""

import ctypes
import fcntl
import mmap
import os
import select
import signal
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.lib.errors import UserError

DEVICE = Path("/dev/kvm")
ACCELERATORS = ("kvm", "tcg")
_LIMIT = 0.25  # seconds
_COUNT = 1_000_000  # less than a millisecond on a processor, seconds in an emulator

_KVM_CREATE_VM = 0xAE01
_KVM_GET_VCPU_MMAP_SIZE = 0xAE04
_KVM_CREATE_VCPU = 0xAE41
_KVM_SET_USER_MEMORY_REGION = 0x4020AE46
_KVM_RUN = 0xAE80
_KVM_SET_REGS = 0x4090AE82
_KVM_GET_SREGS = 0x8138AE83
_KVM_SET_SREGS = 0x4138AE84
_KVM_EXIT_IO = 2
_EXIT_REASON = 8  # its place in struct kvm_run

_MEMORY = 0x10000
_TABLES, _CODE = 0x1000, 0x4000
_PORT = 0xF4
# mov ecx, _COUNT; again: dec ecx; jnz again; out _PORT, al; hlt
_PROGRAM = b"\xb9" + struct.pack("<I", _COUNT) + b"\xff\xc9\x75\xfc" + bytes((0xE6, _PORT)) + b"\xf4"


@dataclass(frozen=True)
class Accelerator:
    """What runs the machines, and why: `reason` is for a person."""

    name: str
    reason: str


def choose(environment: Mapping[str, str], device: Path = DEVICE) -> Accelerator:
    """The accelerator to use; VM_ACCEL names one. Raises UserError if that is KVM and it doesn't work."""
    wanted = environment.get("VM_ACCEL", "")
    if wanted and wanted not in ACCELERATORS:
        raise UserError(f"VM_ACCEL is '{wanted}'; expected one of: {', '.join(ACCELERATORS)}")
    if wanted == "tcg":
        return Accelerator("tcg", "VM_ACCEL asks for it")
    works, why = probe(device)
    if wanted == "kvm" and not works:
        raise UserError(f"VM_ACCEL asks for kvm, which doesn't work here: {why}; unset VM_ACCEL to run without it")
    return Accelerator("kvm" if works else "tcg", why)


def probe(device: Path = DEVICE, limit: float = _LIMIT) -> tuple[bool, str]:
    """Whether a guest runs under KVM, and how that was seen. Call it before there are threads."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, _run_guest(device).encode())
        finally:
            os._exit(0)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], limit)
        said = os.read(reading, 4096).decode() if ready else ""
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
    if said.startswith("ran "):
        return True, f"a probe guest {said}"
    return False, said or f"{device} opens, but a probe guest didn't finish {_COUNT:,} steps in {limit:g} s"


def _run_guest(device: Path) -> str:
    """Run the probe; "ran ..." if it ended as it should, or why it didn't."""
    try:
        kvm = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return f"there is no {device}"
    except OSError as error:
        return f"{device} can't be opened: {error.strerror}"
    try:
        machine = fcntl.ioctl(kvm, _KVM_CREATE_VM, 0)
        memory = _guest_memory()
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        region = struct.pack("=IIQQQ", 0, 0, 0, _MEMORY, address)
        fcntl.ioctl(machine, _KVM_SET_USER_MEMORY_REGION, region)
        processor = fcntl.ioctl(machine, _KVM_CREATE_VCPU, 0)
        state = mmap.mmap(processor, fcntl.ioctl(kvm, _KVM_GET_VCPU_MMAP_SIZE, 0))
        special = bytearray(312)
        fcntl.ioctl(processor, _KVM_GET_SREGS, special)
        fcntl.ioctl(processor, _KVM_SET_SREGS, bytes(_long_mode(special)))
        # Of struct kvm_regs only rip and rflags, of which one bit is always set, matter here.
        fcntl.ioctl(processor, _KVM_SET_REGS, struct.pack("<16Q2Q", *[0] * 16, _CODE, 2))
        began = time.monotonic()
        fcntl.ioctl(processor, _KVM_RUN, 0)
        took = time.monotonic() - began
        reason = struct.unpack_from("<I", state, _EXIT_REASON)[0]
    except OSError as error:
        return f"{device} opens, but a probe guest failed: {error.strerror}"
    if reason != _KVM_EXIT_IO:
        return f"{device} opens, but a probe guest ended with KVM's exit reason {reason}, expected {_KVM_EXIT_IO}"
    return f"ran {_COUNT:,} steps in {took * 1000:.1f} ms"


def _guest_memory() -> mmap.mmap:
    """The guest's memory: page tables that map the first 2 MiB to themselves, and the program."""
    memory = mmap.mmap(-1, _MEMORY)
    for level, flags in enumerate((0x03, 0x03, 0x83)):  # present, writable; the last one a large page
        table = _TABLES * (level + 1)
        struct.pack_into("<Q", memory, table, (0 if flags & 0x80 else table + 0x1000) | flags)
    memory[_CODE : _CODE + len(_PROGRAM)] = _PROGRAM
    return memory


def _long_mode(special: bytearray) -> bytearray:
    """struct kvm_sregs with a processor in 64-bit mode, as a boot loader leaves it for a kernel."""

    def segment(selector: int, kind: int, code: bool) -> bytes:
        # base, limit, selector, type, present, dpl, db, s, l, g, avl, unusable, padding
        return struct.pack("<QIH10B", 0, 0xFFFFFFFF, selector, kind, 1, 0, not code, 1, code, 1, 0, 0, 0)

    special[: 6 * 24] = segment(0x08, 11, True) + 5 * segment(0x10, 3, False)
    # cr0 with paging and protection, cr2, cr3, cr4 with PAE, cr8, efer with long mode enabled and active
    struct.pack_into("<6Q", special, 8 * 24 + 2 * 16, 0x80050033, 0, _TABLES, 0x20, 0, 0x500)
    return special
