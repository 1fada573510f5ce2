"""Tokens have the form that BuildGrid checks, and nothing but the key makes them."""

import base64
import hashlib
import hmac
import json

import pytest

from tools.farm.token import make_token
from tools.lib.errors import UserError


def decode(part: str) -> bytes:
    """Base64 without its padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_form() -> None:
    head, claims, signature = make_token("key", "reader", "jane@example.org", 1000, 60).split(".")
    assert json.loads(decode(head)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(decode(claims)) == {"sub": "reader:jane@example.org", "iat": 1000, "exp": 1060}
    assert decode(signature) == hmac.new(b"key", f"{head}.{claims}".encode(), hashlib.sha256).digest()


@pytest.mark.parametrize(
    ("role", "name", "seconds", "said"),
    [
        ("admin", "jane", 60, "expected one of writer, reader, worker"),
        ("reader", "jane:writer", 60, "--name jane:writer"),
        ("reader", "jane", 0, "--days"),
    ],
)
def test_mistakes(role: str, name: str, seconds: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        make_token("key", role, name, 1000, seconds)
