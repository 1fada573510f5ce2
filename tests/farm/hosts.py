"""Hosts with a network each, and a switch between them whose cables can be pulled: namespaces, without root rights."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.integration.workspace import runfile

_NAMESPACES = str(runfile("tests/farm/namespaces.py"))
_NETWORK = "10.23.0"


class Host:
    """A network of its own; `below` is the host whose user namespace it is in, None: a new one."""

    def __init__(self, below: "Host | None" = None) -> None:
        words = [sys.executable, _NAMESPACES, "hold", str(below.pid if below else 0)]
        # It ends when this process does.
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self.pid: int = self._process.pid
        self.address = ""

    @property
    def enter(self) -> list[str]:
        """The words to put before a command that runs there."""
        return [sys.executable, _NAMESPACES, "enter", str(self.pid)]

    def close(self) -> None:
        """Forget it; what still runs there keeps its network."""
        self._process.communicate()


class Network:
    """Hosts that reach one another through a switch."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        """`folder` gets the programs that set it up, from the root `guest`."""
        tar = [
            "tar",
            "-xf",
            str(runfile("roots/guest.tar")),
            "--no-same-owner",
            "-C",
            str(folder),
            "./bin/ip",
            "./lib",
            "./usr/lib",
        ]
        subprocess.run(tar, check=True)
        libraries = ":".join(str(folder / name) for name in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"))
        loader = str(folder / "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
        self._program = [loader, "--library-path", libraries, str(folder / "bin/ip")]
        self._stack = stack
        self._switch = Host()
        stack.callback(self._switch.close)
        self._hosts: list[Host] = []
        self._ip(self._switch, "link", "add", "switch", "type", "bridge")
        self._ip(self._switch, "link", "set", "switch", "up")

    def _ip(self, host: Host, *words: str) -> None:
        done = subprocess.run([*host.enter, *self._program, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"

    def host(self) -> Host:
        """A further host, with an address and a cable to the switch."""
        host = Host(self._switch)
        self._stack.callback(host.close)
        self._hosts.append(host)
        host.address = f"{_NETWORK}.{len(self._hosts)}"
        cable = self._cable(host)
        self._ip(self._switch, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(host.pid))
        self._ip(self._switch, "link", "set", cable, "master", "switch", "up")
        self._ip(host, "address", "add", f"{host.address}/24", "dev", "eth0")
        self._ip(host, "link", "set", "eth0", "up")
        self._ip(host, "link", "set", "lo", "up")
        return host

    def _cable(self, host: Host) -> str:
        return f"cable{self._hosts.index(host)}"

    def cut(self, host: Host) -> None:
        """Pull a host's cable out of the switch: nobody is told."""
        self._ip(self._switch, "link", "set", self._cable(host), "nomaster")

    def mend(self, host: Host) -> None:
        """Put it back."""
        self._ip(self._switch, "link", "set", self._cable(host), "master", "switch")


@contextlib.contextmanager
def network(folder: Path) -> Iterator[Network]:
    """A network that ends with the block."""
    with contextlib.ExitStack() as stack:
        yield Network(folder, stack)
