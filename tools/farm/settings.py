"""What a farm is started with, and where its things are."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.lib.errors import UserError

DEFAULT_PORT = 8980
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Settings:
    """The settings of `//farm:up`.

    workers: how many actions run at once; 0 for a cache alone.
    listen: the address that clients connect to; other than loopback only with TLS and tokens.
    name: the host name in the server's certificate.
    tls: whether the server has TLS with a certificate that the farm signs itself.
    tls_certificate, tls_key, tls_authority: PEM files of a certificate from elsewhere; "" for none.
    server: a farm on another machine (grpc:// or grpcs://) whose workers these are; "" for one of our own.
    token: with `server`: the file with the workers' token.
    properties: KEY=VALUE that the workers declare besides OSFamily and ISA.
    cache_size: bytes that the cache may take before the oldest is removed.
    """

    workers: int
    port: int = DEFAULT_PORT
    listen: str = LOOPBACK
    name: str = "localhost"
    tls: bool = False
    tls_certificate: str = ""
    tls_key: str = ""
    tls_authority: str = ""
    server: str = ""
    token: str = ""
    properties: tuple[str, ...] = ()
    cache_size: int = 50_000_000_000

    @property
    def secured(self) -> bool:
        """Whether clients need TLS and a token."""
        return self.tls or bool(self.tls_certificate)

    @property
    def address(self) -> str:
        """Where clients find the farm, as Bazel wants it."""
        if self.server:
            return self.server
        return f"grpcs://{self.name}:{self.port}" if self.secured else f"grpc://{self.listen}:{self.port}"

    @property
    def local_address(self) -> str:
        """Where the server is found from its own machine."""
        return LOOPBACK if self.listen == "0.0.0.0" else self.listen

    def to_json(self) -> str:
        """The text that `from_json` reads."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Read back what `to_json` wrote."""
        content = json.loads(text)
        return cls(**content | {"properties": tuple(content["properties"])})


def check(settings: Settings) -> None:
    """Raise UserError for settings that don't go together."""
    if settings.workers < 0:
        raise UserError(f"--workers {settings.workers}: expected 0 or more")
    if not 0 < settings.port < 65536:
        raise UserError(f"--port {settings.port}: expected a port between 1 and 65535")
    for option, path in (
        ("--tls-certificate", settings.tls_certificate),
        ("--tls-key", settings.tls_key),
        ("--tls-authority", settings.tls_authority),
        ("--token", settings.token),
    ):
        if path and not Path(path).is_file():
            raise UserError(f"{option} {path}: no such file")
    for text in settings.properties:
        if "=" not in text:
            raise UserError(f"--property {text}: expected KEY=VALUE")
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise UserError("--tls-certificate and --tls-key belong together: give both")
    if settings.tls and (settings.tls_certificate or settings.tls_authority or settings.server):
        raise UserError("--tls makes a certificate of the farm's own: give no other, and no --server")
    if settings.server:
        if not settings.server.startswith(("grpc://", "grpcs://")):
            raise UserError(f"--server {settings.server}: expected grpc://HOST:PORT or grpcs://HOST:PORT")
        if settings.workers == 0:
            raise UserError("--server is for workers: give --workers of 1 or more")
    elif settings.listen != LOOPBACK and not settings.secured:
        raise UserError(
            f"--listen {settings.listen}: who can reach the farm can run programs on it; other machines only "
            "with TLS and tokens: --tls, or --tls-certificate, --tls-key and --tls-authority"
        )
    elif settings.tls_certificate and not settings.tls_authority:
        raise UserError("--tls-authority: name the certificates that the server's is signed by, for the workers")


def default_state(environment: Mapping[str, str] = os.environ) -> Path:
    """The farm's folder in the user's cache (the XDG base directory specification's rule)."""
    base = environment.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = environment.get("HOME", "")
        if not os.path.isabs(home):
            raise UserError("HOME is not set, so there is no cache folder; set it, or give --state DIR")
        base = os.path.join(home, ".cache")
    return Path(base, "contrail-forge", "farm")


@dataclass(frozen=True)
class State:
    """The farm's folder; inside the roots it is /farm."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        """The path of one of its things."""
        return self.folder / name

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it runs; its content is the supervisor's process id."""
        return self.folder / "lock"

    @property
    def settings(self) -> Path:
        """What the farm was last started with."""
        return self.folder / "settings.json"

    @property
    def services(self) -> Path:
        """What the supervisor says of its services."""
        return self.folder / "services.json"

    @property
    def logs(self) -> Path:
        """One log for each service, and farm.log."""
        return self.folder / "logs"

    @property
    def secrets(self) -> Path:
        """Keys and passwords."""
        return self.folder / "secrets"

    @property
    def own_certificate(self) -> Path:
        """tls.crt, tls.key and authority.crt of a farm that was started with --tls."""
        return self.secrets / "own"
