"""Load orders, and what is said of modules that aren't there."""

import pytest

from tools.initramfs.image_index import ImageIndex, Module, module_name, unknown_names
from tools.lib.errors import UserError

INDEX = ImageIndex(
    "6.1.0-1-amd64",
    {
        "virtio": Module("v/virtio.ko", ()),
        "virtio_net": Module("n/virtio_net.ko", ("virtio", "net_failover")),
        "net_failover": Module("n/net_failover.ko", ("failover",)),
        "failover": Module("c/failover.ko", ()),
    },
    ("ipv6", "unix"),
)


def test_index_survives_its_file() -> None:
    assert ImageIndex.from_json(INDEX.to_json()) == INDEX


@pytest.mark.parametrize("text", ["virtio_net", "virtio-net", "kernel/drivers/net/virtio-net.ko", "virtio_net.ko.xz"])
def test_one_name_for_each_spelling(text: str) -> None:
    assert module_name(text) == "virtio_net"


def test_each_comes_after_what_it_needs_and_once() -> None:
    order = INDEX.load_order(["virtio-net", "failover", "ipv6"])
    assert order == ["v/virtio.ko", "c/failover.ko", "n/net_failover.ko", "n/virtio_net.ko"]


def test_unknown_modules_are_named_with_near_ones() -> None:
    with pytest.raises(UserError) as error:
        INDEX.load_order(["virtio_met", "zzz", "virtio"])
    assert str(error.value) == (
        "the image of kernel 6.1.0-1-amd64 has no module 'virtio_met' (near: virtio_net, virtio), 'zzz'; "
        "name it in `kernel_modules`"
    )


def test_known_names_give_no_message() -> None:
    assert unknown_names(["a"], ["a", "b"]) == ""
