"""Keys that are typed at a machine's console."""

import os
import pty
import sys
import termios

import pytest

from tools.vm.terminal import Keys, size


def test_keys_are_passed_on() -> None:
    keys = Keys()
    assert keys.feed(b"ls\r\x03\x04\x1b[A") == b"ls\r\x03\x04\x1b[A"
    assert not keys.ended


def test_ctrl_a_x_ends_it_also_in_two_pieces() -> None:
    for pieces in ([b"ab\x01xcd"], [b"ab\x01", b"xcd"]):
        keys = Keys()
        assert b"".join(keys.feed(piece) for piece in pieces) == b"ab"
        assert keys.ended


def test_ctrl_a_itself_can_be_sent() -> None:
    keys = Keys()
    assert keys.feed(b"\x01\x01x\x01c") == b"\x01x\x01c"
    assert not keys.ended


def test_a_terminal_that_does_not_know_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours), os.fdopen(theirs, "r+b", buffering=0) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        assert size() == (24, 80)
        termios.tcsetwinsize(terminal.fileno(), (50, 132))
        assert size() == (50, 132)
