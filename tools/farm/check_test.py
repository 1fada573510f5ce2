"""Whatever is found at an address, one sentence says what, and what to do."""

from typing import Any

import pytest

from tools.farm.check import parse_address, verdict
from tools.farm.token import make_token
from tools.lib.errors import UserError

GOOD = {"found": "OK", "low": [2, 0], "high": [2, 2], "digests": [1, 9], "executes": True}


def test_addresses() -> None:
    assert parse_address("grpcs://farm.example:8980") == (True, "farm.example", 8980)
    assert parse_address("grpc://[::1]:1") == (False, "::1", 1)
    for wrong in ("http://farm:80", "grpc://farm", "grpc://farm:70000", "grpc://farm:1/x"):
        with pytest.raises(UserError, match="expected grpc://HOST:PORT or grpcs://HOST:PORT"):
            parse_address(wrong)


def test_usable() -> None:
    assert verdict("grpc://a:1", GOOD, "") == "grpc://a:1: Remote Execution API 2.0 to 2.2, cache and execution"
    assert "a cache, no execution" in verdict("grpc://a:1", GOOD | {"executes": False}, "")
    assert "2.0 to 3.1" in verdict("grpc://a:1", GOOD | {"high": [3, 1]}, "")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"found": "nothing", "detail": "Connection refused"}, r"nothing answers there \(Connection refused\)"),
        ({"found": "certificate", "detail": "Hostname mismatch."}, "isn't accepted: Hostname mismatch; use the name"),
        ({"found": "no TLS", "detail": "HTTP/1.1 200 OK"}, r"doesn't speak TLS \('HTTP/1.1 200 OK'\); try grpc://a:1"),
        ({"found": "TLS", "detail": ""}, "wants TLS; use grpcs://a:1"),
        ({"found": "no gRPC", "detail": "SSH-2.0"}, r"doesn't speak gRPC \('SSH-2.0'\)"),
        ({"found": "UNAUTHENTICATED", "detail": "x"}, "doesn't accept this token .of reader:jane."),
        ({"found": "UNIMPLEMENTED", "detail": "x"}, "speaks gRPC, but not the Remote Execution API"),
        ({"found": "RESOURCE_EXHAUSTED", "detail": "full"}, "answers RESOURCE_EXHAUSTED: full"),
        (GOOD | {"low": [3, 0], "high": [3, 1]}, "speaks the Remote Execution API 3.0 to 3.1, and Bazel needs 2.0"),
        (GOOD | {"digests": [2]}, "has no SHA256"),
    ],
)
def test_not_usable(answer: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        verdict("grpc://a:1", answer, make_token("key", "reader", "jane", 0, 1))


def test_no_token() -> None:
    with pytest.raises(UserError, match="the server wants a token"):
        verdict("grpc://a:1", {"found": "UNAUTHENTICATED"}, "")
