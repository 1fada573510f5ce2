"""The configuration files of the farm's services, from the templates in farm/."""

import json
import secrets
from pathlib import Path
from string import Template

from tools.farm.root import INSIDE
from tools.farm.settings import Settings, State
from tools.lib.files import write_atomically

# The database that every cluster of PostgreSQL has.
CONNECTION = f"postgresql+psycopg2:///postgres?host={INSIDE}/run"
_PRIVATE = 0o600
_AUTHORIZATION = f"""authorization:
  method: jwt
  secret: {INSIDE}/secrets/token.key
  algorithm: hs256
  acl-config: {INSIDE}/access.yml"""
_CREDENTIALS = f"""credentials:
      tls-server-key: {INSIDE}/secrets/tls.key
      tls-server-cert: {INSIDE}/secrets/tls.crt"""


def server_configuration(template: str, settings: Settings, redis_port: int) -> str:
    """BuildGrid's configuration."""
    keys = sorted({text.partition("=")[0] for text in settings.properties} - {"OSFamily", "ISA"})
    return Template(template).substitute(
        address=f"{settings.listen}:{settings.port}",
        insecure="false" if settings.secured else "true",
        credentials=_CREDENTIALS if settings.secured else "",
        authorization=_AUTHORIZATION if settings.secured else "",
        database=CONNECTION,
        redis_port=redis_port,
        properties=json.dumps(keys),
    )


def secret(path: Path) -> str:
    """The secret in a file, made when there is none; nobody but the user may read it."""
    if not path.exists():
        write_atomically(path, secrets.token_hex(32), _PRIVATE)
    return path.read_text()


def write_configuration(state: State, settings: Settings, templates: Path, redis_port: int) -> None:
    """Write everything that the services read."""
    for name in ("", "secrets", "run", "logs", "cas", "redis", "worker/run", "worker/tmp", "worker/cache/cas/staging"):
        (state / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(state / "worker/runner", (templates / "runner.sh").read_text(), 0o755)
    # Actions know of no other machine.
    write_atomically(state / "worker/hosts", "127.0.0.1 localhost\n::1 localhost\n")
    write_atomically(state / "worker/resolv.conf", "")
    own = state.own_certificate if settings.tls else None
    for name, source in (
        ("tls.crt", settings.tls_certificate),
        ("tls.key", settings.tls_key),
        ("authority.crt", settings.tls_authority),
    ):
        if path := own / name if own else source:
            write_atomically(state.secrets / name, Path(path).read_bytes(), _PRIVATE)
    if settings.token:
        write_atomically(state.secrets / "worker.token", Path(settings.token).read_text().strip(), _PRIVATE)
    # The workers of this machine reach the server by the name in its certificate.
    write_atomically(state / "hosts", f"{settings.local_address} {settings.name}\n127.0.0.1 localhost\n::1 localhost\n")
    if settings.server:
        return
    secret(state.secrets / "token.key")
    password = secret(state.secrets / "redis.password")
    redis = Template((templates / "redis.conf").read_text())
    write_atomically(state / "redis.conf", redis.substitute(redis_port=redis_port, redis_password=password), _PRIVATE)
    write_atomically(
        state / "server.yml", server_configuration((templates / "server.yml").read_text(), settings, redis_port)
    )
    for name in ("access.yml", "server.py"):
        write_atomically(state / name, (templates / name).read_text())
