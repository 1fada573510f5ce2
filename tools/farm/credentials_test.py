"""The credential helper finds the token, and says why one can't work."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.farm import credentials
from tools.farm.token import make_token


def token_in(path: Path, content: str, mode: int = 0o600) -> str:
    """Write a token's file."""
    path.write_text(content)
    path.chmod(mode)
    return str(path)


def test_place() -> None:
    assert credentials.token_file({"FORGE_TOKEN_FILE": "/t", "HOME": "/h"}) == "/t"
    assert credentials.token_file({"HOME": "/h"}) == "/h/.config/contrail-forge/farm.token"
    assert credentials.token_file({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}) == "/c/contrail-forge/farm.token"


def test_the_answer_is_a_header(tmp_path: Path) -> None:
    token = make_token("key", "reader", "jane", 1000, 10**10)
    path = token_in(tmp_path / "token", token + "\n")
    done = subprocess.run(
        [sys.executable, "-ISB", credentials.__file__, "get"],
        env=os.environ | {"FORGE_TOKEN_FILE": path},
        input='{"uri": "https://farm.example/"}',
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"headers": {"Authorization": [f"Bearer {token}"]}}


def test_tokens_that_cannot_work(tmp_path: Path) -> None:
    token = make_token("key", "reader", "jane", 1000, 60)
    expired = token_in(tmp_path / "expired", token)
    assert credentials.read_token(expired, 1059) == token
    with pytest.raises(credentials.Refused, match="this token expired on 1970-01-01 00:17 UTC; ask"):
        credentials.read_token(expired, 1060)
    with pytest.raises(credentials.Refused, match="others may read this token; change that: chmod 600"):
        credentials.read_token(token_in(tmp_path / "open", token, 0o644), 1000)
    with pytest.raises(credentials.Refused, match="missing: No such file.*FORGE_TOKEN_FILE"):
        credentials.read_token(str(tmp_path / "missing"), 1000)


@pytest.mark.parametrize("content", ["", "a.b", "a.b.c", f"a.{base64.urlsafe_b64encode(b'[1]').decode()}.c", "a.é.c"])
def test_not_a_token(tmp_path: Path, content: str) -> None:
    with pytest.raises(credentials.Refused, match="not a token"):
        credentials.read_token(token_in(tmp_path / "junk", content), 1000)
