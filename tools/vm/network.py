"""Ethernets that machines share: a learning switch between sockets.

QEMU's `-netdev stream` sends each frame after its length, 4 bytes big-endian. Streams don't lose
frames in a burst, as QEMU's datagram and multicast networks do, and a switch, unlike multicast,
gives no machine its own frames back. A port that takes nothing more loses frames, as on a wire.
"""

import struct
from collections.abc import Callable, Iterator

_LENGTH = struct.Struct("!I")
_WAITING = 4 * 1024 * 1024  # bytes that may wait at a port


class FrameReader:
    """Frames out of a stream that comes in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that these bytes complete, each with its length before it."""
        data, start = self._rest + data, 0
        while len(data) - start >= _LENGTH.size:
            end = start + _LENGTH.size + _LENGTH.unpack_from(data, start)[0]
            if end > len(data):
                break
            yield data[start:end]
            start = end
        self._rest = data[start:]


class Switch:
    """One network. A port is what sends bytes to a machine, and says how many it hasn't taken yet."""

    def __init__(self) -> None:
        self._ports: dict[int, tuple[Callable[[bytes], None], Callable[[], int]]] = {}
        self._readers: dict[int, FrameReader] = {}
        self._where: dict[bytes, int] = {}
        self._number = 0

    def connect(self, send: Callable[[bytes], None], waiting: Callable[[], int]) -> int:
        """Add a port; returns its number."""
        self._number += 1
        self._ports[self._number], self._readers[self._number] = (send, waiting), FrameReader()
        return self._number

    def disconnect(self, port: int) -> None:
        """Take a port away."""
        del self._ports[port], self._readers[port]
        self._where = {source: where for source, where in self._where.items() if where != port}

    def receive(self, port: int, data: bytes) -> None:
        """Take bytes from a port and pass on the frames that they complete."""
        for frame in self._readers[port].feed(data):
            target, source = frame[4:10], frame[10:16]
            self._where[source] = port
            # The lowest bit of the first byte says that the address is a group's.
            known = None if target[:1] and target[0] & 1 else self._where.get(target)
            for number, (send, waiting) in self._ports.items():
                if number != port and known in (None, number) and waiting() < _WAITING:
                    send(frame)
