"""A port that can't be forwarded is named, with what to do."""

import socket

import pytest

from tools.lib.errors import UserError
from tools.vm.user_network import check_ports


@pytest.mark.parametrize(("kind", "number"), [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)])
def test_a_port_that_is_taken(kind: str, number: int) -> None:
    with socket.socket(socket.AF_INET, number) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == "tcp":
            taken.listen()
        port = taken.getsockname()[1]
        option = f"hostfwd={kind}:127.0.0.1:{port}-:22"
        with pytest.raises(UserError, match=f"^QEMU_NET_OPTS: '{option}': the host's {kind} port {port} is taken; "):
            check_ports(f"restrict=off,{option}")
    check_ports(option)


def test_what_others_left_behind_does_not_keep_a_port() -> None:
    """A connection that has ended lingers on its port; QEMU takes the port all the same."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listening.accept()
            accepted.close()
    check_ports(f"hostfwd=tcp:127.0.0.1:{port}-:22")


@pytest.mark.parametrize(
    "option",
    ["hostfwd=tcp:8080-:80", "hostfwd=tcp::8080", "hostfwd=tcp::x-:80", "hostfwd=tcp::70000-:80", "hostfwd=udp::1-:0"],
)
def test_what_is_no_forwarded_port(option: str) -> None:
    with pytest.raises(UserError, match=f"'{option}' isn't a forwarded port; expected hostfwd=tcp:"):
        check_ports(option)


def test_an_address_of_another_machine() -> None:
    with pytest.raises(UserError, match="this machine hasn't that address"):
        check_ports("hostfwd=tcp:192.0.2.1:18080-:80")


def test_other_options_are_qemu_s() -> None:
    check_ports("")
    check_ports("restrict=on,guestfwd=tcp:10.0.2.100:1-cmd:cat")
