"""The protocol of the guest's /init: requests for commands, and their answers.

Request: `TOKEN LINES [clean]`, then the command's lines. Answer: `PID`, what the command printed, and
`TOKEN CODE`. The token is random, so a command can print anything. tools/vm/guest/init says the rest.
"""

import secrets
from collections.abc import Callable

from tools.lib.errors import UserError

READY = b"ready\n"
# What is taken of a command's output, in bytes; /init sends one byte more where there is more.
OUTPUT_LIMIT = 1024 * 1024
# The guest keeps outputs in memory until it is told to remove them.
_CLEAN_BYTES = 2 * 1024 * 1024
_CLEAN_NUMBER = 200


class Answer:
    """The answer to one request, as it comes in."""

    def __init__(self, token: bytes) -> None:
        self._end = token + b" "
        self._data = bytearray()
        self._searched = 0
        self._output = 0
        self.pid: int | None = None
        self.code: int | None = None
        self.output = b""

    def feed(self, data: bytes) -> None:
        """Take bytes; `code` is set when the answer is complete."""
        self._data += data
        if self.pid is None:
            head, newline, _ = self._data.partition(b"\n")
            if not newline:
                return
            self.pid, self._output = int(head), len(head) + 1
            self._searched = self._output
        end = self._data.find(self._end, self._searched)
        if end < 0:
            self._searched = max(self._output, len(self._data) - len(self._end))
        elif (stop := self._data.find(b"\n", end)) >= 0:
            self.code = int(self._data[end + len(self._end) : stop])
            self.output = bytes(self._data[self._output : end])

    @property
    def too_long(self) -> bool:
        """Whether the command printed more than is taken."""
        return len(self.output) > OUTPUT_LIMIT


class Requests:
    """Makes requests; remembers what the guest keeps."""

    def __init__(self, token: Callable[[], str] = lambda: secrets.token_hex(16)) -> None:
        self._token = token
        self._kept = 0
        self._number = 0

    def request(self, command: str) -> tuple[bytes, Answer]:
        """The bytes to send for a command, and what takes the answer. Raises UserError for a NUL."""
        if "\0" in command:
            raise UserError("a command can't have a NUL byte in it")
        token = self._token()
        clean = self._kept > _CLEAN_BYTES or self._number >= _CLEAN_NUMBER
        if clean:
            self._kept = self._number = 0
        self._number += 1
        lines = command.split("\n")
        head = f"{token} {len(lines)}{' clean' if clean else ''}"
        return "\n".join([head, *lines, ""]).encode("utf-8", "surrogateescape"), Answer(token.encode())

    def answered(self, answer: Answer) -> None:
        """Note how much a command printed; of one that printed too much, nobody knows how much."""
        self._kept += _CLEAN_BYTES + 1 if answer.too_long else len(answer.output)
