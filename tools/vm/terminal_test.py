"""Keys that are typed at a machine's console."""

from tools.vm.terminal import Keys


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
