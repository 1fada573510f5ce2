"""Names of images in a registry, and where the registry is.

Format: OCI distribution specification 1.1, "Pulling manifests" (names, tags).
"""

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from tools.lib.errors import UserError

DEFAULT_REGISTRY = "http://localhost:5000"
_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Address:
    """A registry: `base` such as https://registry.example:5000, and the namespace that REGISTRY_URL ends with."""

    base: str
    namespace: str

    @property
    def host(self) -> str:
        """Host and port, as docker's configuration names a registry."""
        return urlsplit(self.base).netloc

    def repository(self, name: str) -> str:
        """The full name of an image here."""
        return f"{self.namespace}/{name}" if self.namespace else name


def check_tag(tag: str) -> str:
    """The tag. Raises UserError when the specification doesn't allow it."""
    if not _TAG.fullmatch(tag):
        raise UserError(
            f"{tag!r} isn't allowed as a tag: at most 128 letters, digits, '_', '.', '-', and none of '.-' first"
        )
    return tag


def check_name(name: str) -> str:
    """The name of a repository. Raises UserError when the specification doesn't allow it."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name!r} isn't allowed as an image's name: expected NAMESPACE/NAME in lower case letters and digits, "
            "with single '.', '_' or '-' between them"
        )
    return name


def parse_reference(text: str) -> tuple[str, str]:
    """Name and tag of NAMESPACE/NAME:TAG. Raises UserError when it is something else."""
    name, separator, tag = text.rpartition(":")
    if not separator or "/" in tag:
        raise UserError(f"{text!r} has no tag: expected NAMESPACE/NAME:TAG")
    return check_name(name), check_tag(tag)


def parse_registry(text: str) -> Address:
    """The registry of a URL; without a scheme it is https, and http for this machine.

    Raises UserError when it isn't one, or has a password.
    """
    if "://" not in text:
        host = urlsplit(f"//{text}").hostname
        text = f"{'http' if host in _LOCAL else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        parsed = bool(parts.hostname) and parts.port != 0 and parts.scheme in ("http", "https")
    except ValueError:
        parsed = False
    if not parsed or parts.query or parts.fragment:
        raise UserError(f"REGISTRY_URL={_without_password(text)}: expected https://HOST[:PORT][/NAMESPACE]")
    if "@" in parts.netloc:
        raise UserError(
            f"REGISTRY_URL={_without_password(text)}: put user and password into REGISTRY_USERNAME and "
            "REGISTRY_PASSWORD, where logs don't show them"
        )
    namespace = parts.path.strip("/")
    return Address(f"{parts.scheme}://{parts.netloc}", check_name(namespace) if namespace else "")


def find_registry() -> Address:
    """The registry that REGISTRY_URL names, or the one on this machine."""
    return parse_registry(os.environ.get("REGISTRY_URL") or DEFAULT_REGISTRY)


def _without_password(text: str) -> str:
    return re.sub(r"//.*@", "//...@", text)
