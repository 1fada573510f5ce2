"""//farm:check: says in one sentence whether Bazel and workers can use a server, and if not, why."""

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.farm.credentials import Refused, claims, read_token
from tools.farm.root import Roots
from tools.farm.settings import State
from tools.lib.errors import UserError

_ADDRESS = re.compile(r"(grpcs?)://(\[[0-9A-Fa-f:.]+\]|[^/:\[\]]+):(\d{1,5})")
# What the machine trusts; inside Bazel's root that is bound here, too.
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_MAJOR = 2
_SHA256 = 1  # DigestFunction.Value


def parse_address(address: str) -> tuple[bool, str, int]:
    """(TLS or not, host, port) of grpc://HOST:PORT or grpcs://HOST:PORT; else UserError."""
    match = _ADDRESS.fullmatch(address)
    if not match or not 0 < int(match[3]) < 65536:
        raise UserError(f"{address}: expected grpc://HOST:PORT or grpcs://HOST:PORT")
    return match[1] == "grpcs", match[2].strip("[]"), int(match[3])


def verdict(address: str, answer: Mapping[str, Any], token: str) -> str:
    """What to tell of a server that can be used. Raises UserError with what was found of one that can't."""
    found, detail = answer["found"], answer.get("detail") or ""
    said = f" ('{detail}')" if detail else ""
    rest = address.partition("://")[2]
    if found == "OK":
        return _usable(address, answer)
    if found == "nothing":
        raise UserError(f"{address}: nothing answers there ({detail}); is the server running, and the address right?")
    if found == "certificate":
        raise UserError(
            f"{address}: its certificate isn't accepted: {detail.rstrip('.')}; use the name that the certificate is "
            "for, and give what it is signed by with --tls-authority (Bazel: --tls_certificate)"
        )
    if found == "no TLS":
        raise UserError(f"{address}: what listens there doesn't speak TLS{said}; try grpc://{rest}")
    if found == "TLS":
        raise UserError(f"{address}: the server there wants TLS; use grpcs://{rest}")
    if found in ("no HTTP/2", "no gRPC"):
        raise UserError(f"{address}: what listens there doesn't speak gRPC{said}; is this another program's port?")
    if found in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        which = f"doesn't accept {_describe(token)}; ask who runs it for another" if token else "wants a token"
        raise UserError(f"{address}: the server {which} (//farm:token, --token)")
    if found == "UNIMPLEMENTED":
        raise UserError(f"{address}: speaks gRPC, but not the Remote Execution API; is this another program's port?")
    raise UserError(f"{address}: the server answers {found}: {detail}; see its log")


def _describe(token: str) -> str:
    subject = claims(token).get("sub", "nobody")
    return f"this token (of {subject})"


def _usable(address: str, answer: Mapping[str, Any]) -> str:
    low, high = (".".join(map(str, answer[name])) for name in ("low", "high"))
    if not answer["low"][0] <= _MAJOR <= answer["high"][0]:
        raise UserError(
            f"{address}: speaks the Remote Execution API {low} to {high}, and Bazel needs {_MAJOR}.0 or a later "
            f"{_MAJOR}.x; use another version of that server"
        )
    if _SHA256 not in answer["digests"]:
        raise UserError(f"{address}: has no SHA256 among its digest functions, which Bazel uses here")
    what = "cache and execution" if answer["executes"] else "a cache, no execution (--config=cache)"
    return f"{address}: Remote Execution API {low} to {high}, {what}"


def check_server(
    roots: Roots, tool: Path, state: State, address: str, authority: str = "", token_file: str = "", hosts: str = ""
) -> str:
    """Ask the server. Returns what to tell of it, or raises UserError with the one thing that is wrong.

    `authority` is what its certificate is signed by ("": what the machine trusts), `hosts` a file in the
    place of /etc/hosts.
    """
    secure, host, port = parse_address(address)
    token = ""
    if token_file:
        try:
            token = read_token(token_file, time.time())
        except Refused as error:
            raise UserError(str(error)) from error
    trusted = authority or _BUNDLE
    if secure and not Path(trusted).is_file():
        raise UserError(f"{trusted}: no such file; give what the certificate is signed by with --tls-authority")
    options: list[str] = []
    for file, place in (
        (trusted if secure else "", "/tmp/authority"),
        (token_file, "/tmp/token"),
        (hosts, "/etc/hosts"),
    ):
        options += ["--ro-bind", file, place] if file else []
    words = (host, str(port), "/tmp/authority" if secure else "", "/tmp/token" if token else "")
    return verdict(address, json.loads(roots.run_module(state.folder, tool, "probe", words, options)), token)
