"""Which files of image packages count, and which modules are chosen; real packages: //tests/kernels/image."""

import lzma

import pytest

from tools.initramfs.image_index import Module
from tools.kernels.kernel_image import Image, choose, needs
from tools.kernels.testing_module import build_module
from tools.lib.errors import UserError

RELEASE = "6.1.0-1-amd64"


def _module(depends: str = "", softdep: str = "") -> bytes:
    return build_module([("depends", depends), *([("softdep", softdep)] if softdep else [])])


def _image() -> Image:
    image = Image()
    builtin = b"kernel/net/ipv6/ipv6.ko\nkernel/lib/crc-t10dif.ko\n"
    image.take(RELEASE, f"lib/modules/{RELEASE}/modules.builtin", builtin)
    modules = {
        "net/virtio-net.ko": _module("virtio,net_failover"),
        "net/net_failover.ko.xz": lzma.compress(_module("failover")),
        "core/failover.ko": _module(),
        "virtio/virtio.ko": _module(softdep="pre: crc-t10dif unknown-alias virtio_ring post: veth"),
        "virtio/virtio_ring.ko": _module(),
        "net/veth.ko": _module(),
    }
    for path, content in modules.items():
        image.take(RELEASE, f"usr/lib/modules/{RELEASE}/kernel/{path}", content)
    return image


@pytest.mark.parametrize(
    "name",
    [
        f"boot/vmlinuz-{RELEASE}",
        f"usr/lib/modules/{RELEASE}/vmlinuz",
        f"usr/lib/modules/{RELEASE}/vmlinuz.unsigned",
    ],
)
def test_places_of_the_kernel(name: str) -> None:
    image = Image()
    image.take(RELEASE, name, b"kernel")
    image.take(RELEASE, name.replace(RELEASE, "6.1.0-2-amd64"), b"another")
    assert image.vmlinuz == b"kernel"


def test_what_modules_need_is_chosen_with_them() -> None:
    index, contents = choose(RELEASE, _image(), ["virtio_net"])
    assert set(index.modules) == {"virtio_net", "net_failover", "failover", "virtio", "virtio_ring"}
    assert index.modules["virtio_net"] == Module("kernel/net/virtio-net.ko", ("virtio", "net_failover"))
    assert index.modules["virtio"].needs == ("virtio_ring",)
    assert set(contents) == {module.path for module in index.modules.values()}


def test_modules_are_decompressed() -> None:
    _, contents = choose(RELEASE, _image(), ["net-failover"])
    assert contents["kernel/net/net_failover.ko"] == _module("failover")


def test_built_in_modules_are_known() -> None:
    index, contents = choose(RELEASE, _image(), ["ipv6"])
    assert (index.modules, contents, index.builtin) == ({}, {}, ("crc_t10dif", "ipv6"))


def test_unknown_modules_are_named_once_and_with_near_ones() -> None:
    with pytest.raises(UserError) as error:
        choose(RELEASE, _image(), ["vethh", "nothing"])
    message = "has no module 'nothing', 'vethh' (near: veth); correct `kernel_modules`"
    assert str(error.value) == f"kernel {RELEASE} {message}"


def test_needs_are_depends_and_softdeps_before() -> None:
    assert needs("x.ko", _module("a,b-c", "pre: d post: e")) == ["a", "b_c", "d"]
    assert needs("x.ko", _module("", "post: e")) == []
    assert needs("x.ko", _module()) == []


def test_what_isn_t_a_module() -> None:
    with pytest.raises(UserError, match="x.ko: expected a kernel module, an ELF file"):
        needs("x.ko", b"text")
