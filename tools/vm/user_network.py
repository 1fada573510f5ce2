"""QEMU_NET_OPTS: what a person adds to the network between a machine and the host.

They are options of QEMU's `-netdev user`, separated by commas. The ports of the host among them are tried
before QEMU is started, whose own word for one that is taken is that it couldn't set something up.
"""

import errno
import re
import socket

from tools.lib.errors import UserError

VARIABLE = "QEMU_NET_OPTS"
_FORWARD = re.compile(r"hostfwd=(?P<kind>tcp|udp|):(?P<address>[^:]*):(?P<port>\d+)-(?P<guest>[^:]*):(?P<to>\d+)")
_EXPECTED = "expected hostfwd=tcp:[ADDRESS]:PORT-[GUEST]:PORT, or udp"


def check_ports(options: str) -> None:
    """Raise UserError if a port of the host can't be forwarded; other options are for QEMU to judge."""
    for option in options.split(","):
        if option.startswith(("hostfwd=tcp", "hostfwd=udp", "hostfwd=:")):
            found = _FORWARD.fullmatch(option)
            if not found or not all(0 < int(found[port]) < 65536 for port in ("port", "to")):
                raise UserError(f"{VARIABLE}: '{option}' isn't a forwarded port; {_EXPECTED}")
            _try(option, found["kind"] or "tcp", found["address"] or "0.0.0.0", int(found["port"]))


def _try(option: str, kind: str, address: str, port: int) -> None:
    """Listen on a port for a moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as listening:
        try:
            if kind == "tcp":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address, port))
            if kind == "tcp":
                listening.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                mend = "is taken; choose another one, or end what has it (`ss -lp` lists who listens)"
            elif error.errno == errno.EACCES:
                mend = "needs rights that you don't have; choose one of 1024 or above"
            elif error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
                mend = "can't be had, because this machine hasn't that address; leave it out, or give one that it has"
            else:
                mend = f"can't be had: {error.strerror}"
            raise UserError(f"{VARIABLE}: '{option}': the host's {kind} port {port} {mend}") from error
