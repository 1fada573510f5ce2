"""Who one is at a registry: from the environment, or from docker's configuration.

Format: config.json of docker, "auths", "credHelpers", "credsStore"; the protocol of credential helpers
(https://github.com/docker/docker-credential-helpers). A secret goes through pipes and headers only.
"""

import base64
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.lib.errors import UserError

_NOT_FOUND = "credentials not found"
_TOKEN = "<token>"  # the name by which helpers mark an identity token


@dataclass(frozen=True)
class Credentials:
    """A user with a password, or with an identity token, which a token server takes in its place."""

    username: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


def find_credentials(host: str) -> Credentials | None:
    """Those for a registry at HOST[:PORT], or None.

    Raises UserError when half of them is missing, the configuration can't be read, or a helper fails.
    """
    username, password = os.environ.get("REGISTRY_USERNAME"), os.environ.get("REGISTRY_PASSWORD")
    if bool(username) != bool(password):
        missing = "REGISTRY_PASSWORD" if username else "REGISTRY_USERNAME"
        raise UserError(f"{missing} isn't set; set both it and its fellow, or neither, to use docker's configuration")
    if username and password:
        return Credentials(username, password)
    path = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker", "config.json")
    return _from_configuration(path, host) if path.exists() else None


def _from_configuration(path: Path, host: str) -> Credentials | None:
    try:
        content = json.loads(path.read_text())
        helper = content.get("credHelpers", {}).get(host) or content.get("credsStore")
        auths = content.get("auths", {})
        entry = next((auths[key] for key in (host, f"https://{host}", f"http://{host}") if key in auths), None)
        if helper:
            return _ask(helper, host)
        return _decode(entry) if entry else None
    except OSError as error:
        raise UserError(f"{path}: cannot read: {error.strerror}") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(f"{path}: isn't a configuration of docker; mend it, or run: docker login {host}") from error


def _decode(entry: dict[str, Any]) -> Credentials | None:
    if not entry.get("auth"):
        return None
    username, separator, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
    if not separator:
        raise ValueError("no colon")
    return Credentials(username, password.rstrip("\0"), entry.get("identitytoken", ""))


def _ask(helper: str, host: str) -> Credentials | None:
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run([program, "get"], input=host, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UserError(f"{program}: cannot run: {error.strerror}; docker's config.json names it for {host}") from error
    if done.returncode:
        # Helpers say this on their standard output; nothing else of it is shown, for it may be a secret.
        if _NOT_FOUND in done.stdout:
            return None
        raise UserError(f"{program} failed for {host} (exit code {done.returncode}); run: docker login {host}")
    answer = json.loads(done.stdout)
    if answer["Username"] == _TOKEN:
        return Credentials(_TOKEN, identity_token=answer["Secret"])
    return Credentials(answer["Username"], answer["Secret"])
