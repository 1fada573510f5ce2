import pytest

from tools.lib.errors import UserError
from tools.vm.agent import OUTPUT_LIMIT, Answer, Requests

TOKEN = "00ff"


def requests() -> Requests:
    return Requests(lambda: TOKEN)


def test_a_request_is_its_lines_after_their_number() -> None:
    data, _ = requests().request("echo a\necho 'b c'")
    assert data == b"00ff 2\necho a\necho 'b c'\n"


def test_a_request_may_have_any_bytes_but_nul() -> None:
    assert requests().request("echo \udcff\u00e4")[0] == b"00ff 1\necho \xff\xc3\xa4\n"
    with pytest.raises(UserError, match="NUL"):
        requests().request("echo \0")


def test_an_answer_comes_in_any_pieces() -> None:
    data = b"17\nfirst\n\0\xff00ff\n00ff 3\n"
    for size in range(1, len(data) + 1):
        answer = Answer(TOKEN.encode())
        for start in range(0, len(data), size):
            assert answer.code is None
            answer.feed(data[start : start + size])
        assert (answer.pid, answer.code, answer.output) == (17, 3, b"first\n\0\xff00ff\n")


def test_the_pid_is_known_before_the_end() -> None:
    answer = Answer(TOKEN.encode())
    answer.feed(b"17\nsome")
    assert (answer.pid, answer.code) == (17, None)


def test_more_than_the_limit_is_seen() -> None:
    for extra in (0, 1):
        answer = Answer(TOKEN.encode())
        answer.feed(b"1\n" + b"x" * (OUTPUT_LIMIT + extra) + b"00ff 0\n")
        assert (answer.code, answer.too_long) == (0, bool(extra))


def test_the_guest_cleans_up_after_much_output_and_after_many_commands() -> None:
    made = requests()
    _, answer = made.request("yes")
    answer.feed(b"1\n" + b"x" * (OUTPUT_LIMIT + 1) + b"00ff 0\n")
    made.answered(answer)
    assert made.request("true")[0].startswith(b"00ff 1 clean\n")
    assert [made.request("true")[0].startswith(b"00ff 1 clean\n") for _ in range(300)].count(True) == 1
