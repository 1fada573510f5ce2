"""Tokens of clients and workers: JSON Web Tokens (RFC 7519), signed with the farm's key (HS256)."""

import base64
import hashlib
import hmac
import json
import re

from tools.lib.errors import UserError

ROLES = ("writer", "reader", "worker")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]*")


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def make_token(key: str, role: str, name: str, now: int, seconds: int) -> str:
    """A token for who is called `name`, valid for so many seconds from `now` (since the epoch).

    Raises UserError for a role or a name that there can't be.
    """
    if role not in ROLES:
        raise UserError(f"--role {role}: expected one of {', '.join(ROLES)}")
    if not _NAME.fullmatch(name):
        raise UserError(f"--name {name}: expected letters, digits and @ . _ -, such as ci-1 or jane@example.org")
    if seconds <= 0:
        raise UserError("--days: expected more than 0")
    claims = {"sub": f"{role}:{name}", "iat": now, "exp": now + seconds}
    text = ".".join(_encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{text}.{_encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())}"
