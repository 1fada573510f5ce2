"""What farm/credential_helper prints: the header with the user's token, for Bazel's requests to the farm.

The token is the content of the file that $FORGE_TOKEN_FILE names, or of
~/.config/contrail-forge/farm.token. Bazel gives the request's address on the standard input and
reads the answer's JSON (https://github.com/EngFlow/credential-helper-spec). A token that can't work is
refused here with the reason: servers don't say it.

Bazel starts this with the machine's own Python, or that of Bazel's root, so it is one file that
imports nothing of this repository, and is readable to Python 3.9.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
import sys
import time

VARIABLE = "FORGE_TOKEN_FILE"


class Refused(Exception):
    """No token, or one that can't work; the text says what to do."""


def token_file(environment: dict[str, str]) -> str:
    """Where the token is; the place in the user's configuration is the XDG base directory specification's."""
    if given := environment.get(VARIABLE, ""):
        return given
    base = environment.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(environment.get("HOME", "/"), ".config")
    return os.path.join(base, "contrail-forge", "farm.token")


def read_token(path: str, now: float) -> str:
    """The token in a file. Raises Refused."""
    ask = "ask who runs the farm for one (//farm:token)"
    try:
        with open(path, encoding="ascii") as stream:
            shared = os.fstat(stream.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO)
            token = stream.read().strip()
    except UnicodeDecodeError as error:
        raise Refused(f"{path}: not a token; {ask}") from error
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; the farm wants a token: {ask}, or set {VARIABLE}") from error
    if shared:
        raise Refused(f"{path}: others may read this token; change that: chmod 600 {path}")
    expiry = claims(token).get("exp")
    if not isinstance(expiry, (int, float)):
        raise Refused(f"{path}: not a token; {ask}")
    if expiry <= now:
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expiry))
        raise Refused(f"{path}: this token expired on {when}; {ask}")
    return token


def claims(token: str) -> dict[str, object]:
    """What a JSON Web Token says, unverified (only the server has the key); nothing when it isn't one."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        content = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def main(arguments: list[str]) -> int:
    """The one command of the protocol: get."""
    if arguments != ["get"]:
        print("error: Bazel calls this as: credential_helper get", file=sys.stderr)
        return 1
    sys.stdin.read()
    try:
        token = read_token(token_file(dict(os.environ)), time.time())
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"headers": {"Authorization": [f"Bearer {token}"]}}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
