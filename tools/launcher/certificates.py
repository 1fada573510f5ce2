"""The machine's trusted certificates as a Java key store, so that Bazel's downloader trusts them.

Debian makes that store in a maintainer script; the locked root runs none, and the machine may
trust more than the root's packages know (a company's own authority).
Source of the format: the comment in OpenJDK's sun.security.provider.JavaKeyStore, version 2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import struct
from pathlib import Path

from tools.lib.files import write_atomically

_MAGIC = 0xFEEDFEED
_VERSION = 2
_TRUSTED = 2
_PASSWORD = "changeit"  # Java's default for a store that holds nothing secret
_WHITENER = b"Mighty Aphrodite"
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def make_store(bundle: str, store: str) -> None:
    """Write the key store for a bundle of PEM certificates."""
    os.makedirs(os.path.dirname(store), exist_ok=True)
    write_atomically(Path(store), key_store(certificates(Path(bundle).read_bytes())))


def certificates(bundle: bytes) -> list[bytes]:
    """The certificates of a PEM bundle in DER form, each once; a broken one is left out."""
    found: dict[bytes, None] = {}
    for block in _BLOCK.findall(bundle):
        try:
            found[base64.b64decode(b"".join(block.split()), validate=True)] = None
        except binascii.Error:
            continue
    return list(found)


def key_store(ders: list[bytes]) -> bytes:
    """A JKS key store of trusted certificates, all dated 1970."""
    content = struct.pack(">III", _MAGIC, _VERSION, len(ders))
    for number, der in enumerate(ders):
        content += struct.pack(">I", _TRUSTED) + _text(f"ca{number}") + struct.pack(">Q", 0)
        content += _text("X.509") + struct.pack(">I", len(der)) + der
    return content + hashlib.sha1(_PASSWORD.encode("utf-16-be") + _WHITENER + content).digest()


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")
