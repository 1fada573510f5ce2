"""The images of real kernels of each line, and the userland of the guests, as archives."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from tools.initramfs.image_index import ImageIndex

BSDTAR = "../tool_runtime/bin/bsdtar"
IMAGES = {release: Path(f"kernels/{release}.image") for release in os.environ["IMAGES"].split()}
GUEST_LIMIT = 8 << 20  # bytes: the kernel unpacks it at each boot


def listed(archive: Path) -> list[str]:
    """The names in an archive."""
    return subprocess.run([BSDTAR, "-tf", archive], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def content(archive: Path, name: str) -> str:
    """A text file of an archive."""
    return subprocess.run([BSDTAR, "-xOf", archive, name], stdout=subprocess.PIPE, text=True, check=True).stdout


def kernel_version(vmlinuz: bytes) -> str:
    """The version that a kernel's header names (Documentation/arch/x86/boot.rst: kernel_version, at 0x20e)."""
    assert vmlinuz[0x202:0x206] == b"HdrS"
    offset = struct.unpack_from("<H", vmlinuz, 0x20E)[0] + 0x200
    return vmlinuz[offset : vmlinuz.index(b"\0", offset)].decode()


@pytest.mark.parametrize("release", IMAGES)
def test_kernel_is_the_release(release: str) -> None:
    assert kernel_version((IMAGES[release] / "vmlinuz").read_bytes()).split()[0] == release


@pytest.mark.parametrize("release", IMAGES)
def test_modules_are_complete(release: str) -> None:
    index = ImageIndex.from_json((IMAGES[release] / "modules.json").read_text())
    top = f"usr/lib/modules/{release}"
    archive = IMAGES[release] / "modules.cpio"
    modules = {name.removeprefix(f"{top}/") for name in listed(archive) if name.endswith(".ko")}
    assert modules == {module.path for module in index.modules.values()}
    order = index.load_order(["virtio_net", "veth", "vxlan"])
    assert set(order) <= modules
    # What depmod found out by symbols is what .modinfo says.
    for line in content(archive, f"{top}/modules.dep").splitlines():
        path, _, needed = line.partition(":")
        name = path.rpartition("/")[2].removesuffix(".ko")
        closure = index.load_order([name])[:-1]
        assert set(needed.split()) <= set(closure)


def test_modules_that_were_asked_for_come_with_what_they_need() -> None:
    index = ImageIndex.from_json(Path("tests/kernels/image/with_bridge/modules.json").read_text())
    assert index.release == os.environ["WITH_BRIDGE"]
    assert {"bridge", "stp", "llc"} <= set(index.modules)
    assert "veth" not in index.modules


def test_guests_have_their_programs_and_are_small() -> None:
    archive = Path("tests/guest.cpio")
    names = set(listed(archive))
    assert {"init", "bin", "dev/console", "usr/bin/ip", "usr/bin/ping", "usr/sbin/modprobe", "etc/passwd"} <= names
    assert not [name for name in names if name.startswith(("usr/local/", "usr/share/", "build", "forge"))]
    assert archive.stat().st_size < GUEST_LIMIT
