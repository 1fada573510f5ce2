"""Authorisation at a registry: Basic, or the tokens of a token server.

Format: https://distribution.github.io/distribution/spec/auth/token/ and .../oauth/ .
"""

import io
import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tools.containers.credentials import Credentials
from tools.containers.transport import Answer, Body, Transport
from tools.lib.errors import UserError

_WORD = re.compile(r'(\w+)="([^"]*)"')
_SUGGESTION = "set REGISTRY_USERNAME and REGISTRY_PASSWORD, or run: docker login {host}"


@dataclass(frozen=True)
class Challenge:
    """What a WWW-Authenticate header asks for."""

    scheme: str
    realm: str
    service: str
    scope: str


def parse_challenge(header: str) -> Challenge | None:
    """The challenge of a header, or None when it is none that registries use."""
    scheme, _, rest = header.strip().partition(" ")
    words = dict(_WORD.findall(rest))
    if scheme.lower() not in ("basic", "bearer") or (scheme.lower() == "bearer" and not words.get("realm")):
        return None
    return Challenge(scheme.lower(), words.get("realm", ""), words.get("service", ""), words.get("scope", ""))


class Access:
    """Makes requests to one registry as somebody; threads share it."""

    def __init__(self, base: str, transport: Transport, credentials: Credentials | None) -> None:
        """`base` is the registry's scheme, host and port."""
        self._base = base
        self._host = urlsplit(base).netloc
        self._transport = transport
        self._credentials = credentials
        self._lock = threading.Lock()
        self._granted: dict[str, str] = {}  # by what is asked for: the Authorization header

    def request(
        self,
        method: str,
        url: str,
        scope: str,
        headers: dict[str, str] | None = None,
        body: Body | None = None,
        into: Path | None = None,
    ) -> Answer:
        """The answer to a request for what `scope` names, such as repository:NAME:pull,push; a token is had first, and
        another when it has expired. `into` is as Transport has it.

        Raises UserError when the registry doesn't let this user in.
        """
        # What a registry sends elsewhere (to its storage) has its own authorisation in the URL.
        own = urlsplit(url)[:2] == urlsplit(self._base)[:2]
        for attempt in range(3):
            granted = self._granted.get(scope, "") if own else ""
            words = dict(headers or {}) | ({"Authorization": granted} if granted else {})
            answer = self._transport.request(method, url, words, body, into)
            if answer.status != 401 or not own:
                return answer
            if attempt == 2 or (granted.startswith("Basic") and attempt):
                raise self._refused(scope, answer)
            self._renew(scope, granted, answer)
        raise AssertionError("the last attempt returns or raises")

    def _renew(self, scope: str, refused: str, answer: Answer) -> None:
        with self._lock:
            if self._granted.get(scope, "") != refused:
                return  # another thread has a new one
            challenge = parse_challenge(answer.headers.get("WWW-Authenticate", ""))
            if not challenge:
                raise UserError(f"{self._base}: it answers 401 and doesn't say how to log in; is it a registry?")
            if challenge.scheme == "basic":
                if not self._credentials or refused:
                    raise self._refused(scope, answer)
                self._granted[scope] = self._credentials.basic
            else:
                self._granted[scope] = "Bearer " + self._token(challenge, scope)

    def _token(self, challenge: Challenge, scope: str) -> str:
        if urlsplit(self._base).scheme == "https" and urlsplit(challenge.realm).scheme != "https":
            raise UserError(
                f"{self._base}: its token server {challenge.realm} doesn't use TLS; no password is sent there"
            )
        words = {"service": challenge.service, "scope": scope or challenge.scope}
        credentials = self._credentials
        if credentials and credentials.identity_token:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": credentials.identity_token,
                "client_id": "contrail-forge",
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._transport.request(
                "POST", challenge.realm, headers, _form(urlencode({**words, **form}).encode())
            )
        else:
            headers = {"Authorization": credentials.basic} if credentials else {}
            separator = "&" if urlsplit(challenge.realm).query else "?"
            answer = self._transport.request("GET", f"{challenge.realm}{separator}{urlencode(words)}", headers)
        if answer.status in (400, 401, 403):
            raise self._refused(scope, answer)
        if answer.status != 200:
            raise UserError(f"{challenge.realm}: the token server answers {answer.status}: {answer.message}")
        try:
            content = json.loads(answer.body)
            token = content.get("token") or content["access_token"]
            if isinstance(token, str) and token.isascii() and token.isprintable():
                return token
        except (ValueError, KeyError, AttributeError):
            pass
        raise UserError(f"{challenge.realm}: the token server's answer has no token; is it one?")

    def _refused(self, scope: str, answer: Answer) -> UserError:
        suggestion = _SUGGESTION.format(host=self._host)
        if not self._credentials:
            return UserError(f"{self._base}: it wants to know who you are (401); {suggestion}")
        user = self._credentials.username
        if any(self._granted.values()) and self._granted.get(scope, "").startswith("Bearer"):
            return UserError(f"{self._base}: the token of user {user} isn't enough for {scope} (401: {answer.message})")
        return UserError(f"{self._base}: user {user} or the password isn't accepted ({answer.status}); {suggestion}")


def _form(content: bytes) -> Body:
    return Body(lambda: io.BytesIO(content), len(content))
