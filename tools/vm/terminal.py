"""A person's terminal, connected to a machine's console."""

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ESCAPE = b"\x01"  # Ctrl-A, as QEMU has it
_END_OF_FILE = b"\x04"  # Ctrl-D
HELP = "Ctrl-A x ends it, Ctrl-A Ctrl-A sends a Ctrl-A, Ctrl-D or `exit` leaves the shell"


class Keys:
    """What is typed: bytes for the machine, until Ctrl-A x."""

    def __init__(self) -> None:
        self._escaped = False
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """The bytes that are for the machine."""
        passed = bytearray()
        for number in data:
            key = bytes((number,))
            if self._escaped:
                self._escaped = False
                if key in b"xX":
                    self.ended = True
                    break
                passed += key if key == _ESCAPE else _ESCAPE + key
            elif key == _ESCAPE:
                self._escaped = True
            else:
                passed += key
        return bytes(passed)


def size() -> tuple[int, int]:
    """Lines and columns of the terminal; the usual ones where there is none, or it doesn't know."""
    try:
        columns, lines = os.get_terminal_size(sys.stdin.fileno())
    except OSError:
        columns = lines = 0
    return lines or 24, columns or 80


def show(data: bytes) -> None:
    """Write a console's bytes to the terminal, or wherever the output goes."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """The terminal passes every key on while this lasts."""
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def connect(send: Callable[[bytes], None], over: Callable[[], bool]) -> bool:
    """Send what is typed until `over` says so; whether the person asked for the end by Ctrl-A x."""
    keys, descriptor, reading = Keys(), sys.stdin.fileno(), True
    with _raw(descriptor):
        while not over() and not keys.ended:
            ready, _, _ = select.select([descriptor] if reading else [], [], [], 0.1)
            if ready:
                data = os.read(descriptor, 4096)
                reading = bool(data)
                send(keys.feed(data) if data else _END_OF_FILE)
    return keys.ended
