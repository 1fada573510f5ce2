"""What registries ask for, and how long they want us to wait."""

import time
from email.utils import formatdate
from http.client import HTTPMessage

import pytest

from tools.containers.access import Challenge, parse_challenge
from tools.containers.credentials import Credentials
from tools.containers.transport import Answer


def answer(body: bytes = b"", **headers: str) -> Answer:
    """An answer with these headers."""
    message = HTTPMessage()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return Answer(429, message, body)


def test_challenges() -> None:
    text = 'Bearer realm="https://x/token",service="a b",scope="repository:x/y:pull,push"'
    assert parse_challenge(text) == Challenge("bearer", "https://x/token", "a b", "repository:x/y:pull,push")
    assert parse_challenge('Basic realm="x"') == Challenge("basic", "x", "", "")
    for text in ("", "Negotiate", 'Bearer service="x"'):
        assert parse_challenge(text) is None


def test_waiting() -> None:
    assert answer(Retry_After="7").retry_after == 7
    later = formatdate(time.time() + 100, usegmt=True)
    assert answer(Retry_After=later).retry_after == pytest.approx(100, abs=30)
    assert answer(Retry_After=formatdate(0, usegmt=True)).retry_after == 0
    assert (answer().retry_after, answer(Retry_After="soon").retry_after) == (None, None)


def test_what_a_registry_says() -> None:
    assert answer(b'{"errors": [{"code": "DENIED", "message": "no"}]}').message == "DENIED: no"
    for body in (b"[]", b'{"errors": []}', b'{"errors": 3}', b"\xff", b" "):
        assert answer(body).message
    assert answer(b"<html>\n no").message == "<html> no"


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(Credentials("me", "secret", "secret"))
