"""A small signed Debian archive on loopback, for tests of what talks to mirrors.

The format is that of https://wiki.debian.org/DebianRepository/Format: an InRelease that has the
digests of the Packages files, signed by a key that the test makes with gpg(1).
"""

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Key:
    """A signing key of its own; `keyring` is its public half."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        # gpg-agent's socket needs a short path.
        self._home = tempfile.mkdtemp(prefix="gpg.", dir="/tmp")
        self.keyring = folder / "keyring.gpg"
        self._gpg("--quick-gen-key", "--passphrase", "", "Test <test@localhost>", "ed25519", "sign", "never")
        self.keyring.write_bytes(self._gpg("--export"))

    def _gpg(self, *words: str, data: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", self._home, "--batch", "--quiet", *words]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    def sign(self, text: str) -> bytes:
        """The text as InRelease has it."""
        return self._gpg("--clearsign", data=text.encode())

    def close(self) -> None:
        """End the agent and forget the key."""
        subprocess.run(["gpgconf", "--homedir", self._home, "--kill", "gpg-agent"], check=False)
        shutil.rmtree(self._home, ignore_errors=True)


def entry(name: str, version: str, depends: str = "", archive: str = "debian") -> str:
    """A package's paragraph in a Packages file."""
    pool = "pool/updates/main" if archive == "debian-security" else "pool/main"
    digest = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
    fields = {
        "Package": name,
        "Version": version,
        "Architecture": "amd64",
        "Maintainer": "Test <test@localhost>",
        "Depends": depends,
        "Filename": f"{pool}/{name[0]}/{name}/{name}_{version.partition(':')[2] or version}_amd64.deb",
        "Size": "1000",
        "SHA256": digest,
        "Description": "made by a test",
    }
    return "".join(f"{field}: {value}\n" for field, value in fields.items() if value)


def publish(folder: Path, suite: str, packages: list[str], key: Key | None, valid_until: str = "") -> None:
    """Write dists/SUITE of the archive in `folder`; unsigned (a bare Release) without a key."""
    place = folder / "dists" / suite
    index = place / "main/binary-amd64/Packages"
    index.parent.mkdir(parents=True, exist_ok=True)
    index.write_text("\n".join(packages))
    fields: Mapping[str, str] = {
        "Origin": "Debian",
        "Suite": suite,
        "Codename": suite,
        "Date": "Wed, 01 Jan 2025 00:00:00 UTC",
        "Valid-Until": valid_until,
        "Architectures": "amd64",
        "Components": "main",
    }
    digest = hashlib.sha256(index.read_bytes()).hexdigest()
    release = "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
    release += f"SHA256:\n {digest} {index.stat().st_size} main/binary-amd64/Packages\n"
    for name in ("Release", "InRelease"):
        (place / name).unlink(missing_ok=True)
    if key is None:
        (place / "Release").write_text(release)
    else:
        (place / "InRelease").write_bytes(key.sign(release))


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder over http on loopback; gives the base URL."""
    os.makedirs(folder, exist_ok=True)
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
