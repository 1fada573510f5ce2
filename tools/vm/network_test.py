"""The switch between machines."""

import struct
from functools import partial

from tools.vm.network import FrameReader, Switch

LEFT, RIGHT, THIRD = b"\x52\x54\0\0\0\1", b"\x52\x54\0\0\0\2", b"\x52\x54\0\0\0\3"
ALL = b"\xff" * 6


def frame(target: bytes, source: bytes, content: bytes = b"x") -> bytes:
    """A frame as QEMU sends it."""
    ethernet = target + source + b"\x08\0" + content
    return struct.pack("!I", len(ethernet)) + ethernet


class Network:
    """A switch with three machines; `got` is what each received."""

    def __init__(self) -> None:
        self.switch = Switch()
        self.got: dict[int, list[bytes]] = {}
        self.waiting = dict.fromkeys(range(1, 4), 0)
        for expected in self.waiting:
            port = self.switch.connect(partial(self._send, expected), partial(self.waiting.__getitem__, expected))
            assert port == expected

    def _send(self, number: int, data: bytes) -> None:
        self.got.setdefault(number, []).append(data)


def test_frames_come_in_any_pieces() -> None:
    data = frame(ALL, LEFT, b"one") + frame(ALL, LEFT, b"two") + frame(ALL, LEFT, b"")
    for size in range(1, len(data)):
        reader = FrameReader()
        frames: list[bytes] = []
        for start in range(0, len(data), size):
            frames += reader.feed(data[start : start + size])
        assert frames == [frame(ALL, LEFT, b"one"), frame(ALL, LEFT, b"two"), frame(ALL, LEFT, b"")]


def test_a_frame_for_all_goes_to_all_others() -> None:
    network = Network()
    network.switch.receive(1, frame(ALL, LEFT))
    assert network.got == {2: [frame(ALL, LEFT)], 3: [frame(ALL, LEFT)]}


def test_a_frame_for_a_known_machine_goes_only_there() -> None:
    network = Network()
    network.switch.receive(2, frame(ALL, RIGHT))
    network.got.clear()
    network.switch.receive(1, frame(RIGHT, LEFT))
    network.switch.receive(1, frame(THIRD, LEFT))
    assert network.got == {2: [frame(RIGHT, LEFT), frame(THIRD, LEFT)], 3: [frame(THIRD, LEFT)]}


def test_a_machine_that_moved_is_found() -> None:
    network = Network()
    network.switch.receive(2, frame(ALL, LEFT))
    network.switch.receive(3, frame(ALL, LEFT))
    network.got.clear()
    network.switch.receive(1, frame(LEFT, RIGHT))
    assert network.got == {3: [frame(LEFT, RIGHT)]}


def test_a_port_that_takes_nothing_more_loses_frames() -> None:
    network = Network()
    network.waiting[2] = 1 << 30
    network.switch.receive(1, frame(ALL, LEFT))
    assert list(network.got) == [3]


def test_a_machine_that_has_gone_gets_nothing() -> None:
    network = Network()
    network.switch.receive(2, frame(ALL, RIGHT))
    network.got.clear()
    network.switch.disconnect(2)
    network.switch.receive(1, frame(RIGHT, LEFT))
    assert network.got == {3: [frame(RIGHT, LEFT)]}
