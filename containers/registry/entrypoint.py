#!/opt/venv/bin/python3
"""Start the registry and what belongs to it, as the environment says; README.md lists the variables.

Writes the configuration of each service below /run/registry, makes what is kept in the volume /config, and becomes
circusd. With --check it only looks at the environment. A wrong variable ends it with code 64 and a message that names
it.
"""

import json
import os
import re
import secrets
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import bcrypt

WRONG = 64
RUN, DATA, CONFIG, LOGS = (Path(path) for path in ("/run/registry", "/data", "/config", "/logs"))
SERVICE, ISSUER = "registry", "registry-token-server"
TOKEN_SECONDS = 900
ROLES: Mapping[str, list[str]] = {"admin": ["*"], "readonly": ["pull"]}
_HASH = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_LONGEST = 72  # bytes of a password that bcrypt takes


def fail(message: str) -> NoReturn:
    """End with the message and the code of a wrong variable."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(WRONG)


def wrong(name: str, value: str, expected: str) -> NoReturn:
    """Say which variable is wrong; not for passwords."""
    fail(f"{name}='{value}': expected {expected}")


@dataclass(frozen=True)
class User:
    """Who may do what: `secret` is a bcrypt hash, `role` a key of ROLES."""

    name: str
    secret: str = field(repr=False)
    role: str


@dataclass(frozen=True)
class Settings:
    """What the environment says. `url` is empty for that by which a client comes."""

    users: tuple[User, ...]
    port: int
    url: str
    certificate: str
    key: str
    level: str
    schedule: str
    log_mb: int
    sshd_port: int  # 0 for no sshd


def _number(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    value = environment.get(name, "") or str(default)
    if not re.fullmatch("[0-9]{1,9}", value) or not low <= int(value) <= high:
        wrong(name, value, f"a number from {low} to {high}")
    return int(value)


def _choice(environment: Mapping[str, str], name: str, *choices: str) -> str:
    value = environment.get(name, "") or choices[0]
    if value not in choices:
        wrong(name, value, "one of: " + ", ".join(choices))
    return value


def _text(name: str, path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError):
        wrong(name, path, "a text file that may be read")


def _user(environment: Mapping[str, str], role: str) -> list[User]:
    """The user that the variables of a role make, if they are set."""
    name = f"REGISTRY_{role.upper()}_PASSWORD"
    password = environment.get(name, "")
    if path := environment.get(f"{name}_FILE", ""):
        password = _text(f"{name}_FILE", path).rstrip("\n")
        if not password:
            wrong(f"{name}_FILE", path, "a file with a password or its bcrypt hash")
    if not password:
        return []
    if _HASH.fullmatch(password):
        return [User(role, password, role)]
    if len(password.encode()) > _LONGEST or "\0" in password:
        fail(f"{name}: expected a password of at most {_LONGEST} bytes, or a bcrypt hash")
    return [User(role, bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode(), role)]


def _listed(path: str) -> list[User]:
    """The users of REGISTRY_USERS_FILE, a line NAME:HASH:ROLE each."""
    users = []
    for number, line in enumerate(_text("REGISTRY_USERS_FILE", path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, secret, role = (line.strip().split(":") + ["", ""])[:3]
        if not _NAME.fullmatch(name) or not _HASH.fullmatch(secret) or role not in ROLES or line.count(":") != 2:
            wrong("REGISTRY_USERS_FILE", f"{path}:{number}", "NAME:BCRYPT-HASH:ROLE, ROLE one of: " + ", ".join(ROLES))
        users.append(User(name, secret, role))
    return users


def _users(environment: Mapping[str, str]) -> tuple[User, ...]:
    users = [user for role in ROLES for user in _user(environment, role)]
    if path := environment.get("REGISTRY_USERS_FILE", ""):
        users += _listed(path)
    if not users:
        fail(
            "REGISTRY_ADMIN_PASSWORD: there is no user; set it, or one of: REGISTRY_ADMIN_PASSWORD_FILE, "
            "REGISTRY_READONLY_PASSWORD, REGISTRY_READONLY_PASSWORD_FILE, REGISTRY_USERS_FILE"
        )
    names = [user.name for user in users]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        fail(f"REGISTRY_USERS_FILE: the user {twice[0]} is there twice, in the file or by a variable; leave one")
    return tuple(users)


def _url(environment: Mapping[str, str]) -> str:
    url = environment.get("REGISTRY_EXTERNAL_URL", "")
    if url and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+/?", url):
        wrong("REGISTRY_EXTERNAL_URL", url, "http://HOST[:PORT] or https://HOST[:PORT]")
    return url.rstrip("/")


def _tls(environment: Mapping[str, str]) -> tuple[str, str]:
    names = ("REGISTRY_TLS_CERTIFICATE", "REGISTRY_TLS_KEY")
    certificate, key = (environment.get(name, "") for name in names)
    if bool(certificate) != bool(key):
        wrong(names[0] if key else names[1], "", f"a file, because {names[1] if key else names[0]} is set")
    if certificate:
        for name, path in zip(names, (certificate, key), strict=True):
            _text(name, path)
        try:
            # Asked for a passphrase, it would wait for a terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
        except ssl.SSLError:
            wrong(names[0], certificate, f"a certificate for the key {key}, both PEM, without a passphrase")
    return certificate, key


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Check the environment; ends the program if something is wrong."""
    port = _number(environment, "REGISTRY_PORT", 5000, 1, 65533)
    sshd = _choice(environment, "REGISTRY_SSHD", "no", "yes")
    sshd_port = _number(environment, "REGISTRY_SSHD_PORT", 2222, 1, 65535)
    if sshd == "yes" and sshd_port in range(port, port + 3):
        wrong("REGISTRY_SSHD_PORT", str(sshd_port), f"a port besides {port} to {port + 2}, which the registry has")
    schedule = environment.get("REGISTRY_LOGROTATE_SCHEDULE", "") or "17 * * * *"
    if not re.fullmatch(r"[0-9*/,-]+( [0-9*/,-]+){4}", schedule):
        wrong("REGISTRY_LOGROTATE_SCHEDULE", schedule, "the five fields of crontab(5), such as '17 * * * *'")
    certificate, key = _tls(environment)
    return Settings(
        users=_users(environment),
        port=port,
        url=_url(environment),
        certificate=certificate,
        key=key,
        level=_choice(environment, "REGISTRY_LOG_LEVEL", "info", "debug", "warn", "error"),
        schedule=schedule,
        log_mb=_number(environment, "REGISTRY_LOG_MAX_MB", 100, 1, 999999),
        sshd_port=sshd_port if sshd == "yes" else 0,
    )


def registry_configuration(settings: Settings, secret: str) -> dict[str, Any]:
    """The registry's configuration (docker-registry(1), YAML, of which JSON is a part)."""
    http: dict[str, Any] = {"addr": f"127.0.0.1:{settings.port + 1}", "secret": secret}
    if settings.url:
        http["host"] = settings.url
    return {
        "version": "0.1",
        "log": {"level": settings.level, "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(DATA)}, "delete": {"enabled": True}},
        "http": http,
        "auth": {
            "token": {
                # nginx puts the address here by which the client came.
                "realm": f"{settings.url or 'http://localhost'}/docker_auth_service/auth",
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(CONFIG / "signing.crt"),
            }
        },
    }


def token_configuration(settings: Settings) -> dict[str, Any]:
    """docker_auth's configuration (its examples/reference.yml)."""
    return {
        "server": {
            "addr": f"127.0.0.1:{settings.port + 2}",
            "path_prefix": "/docker_auth_service",
            "real_ip_header": "X-Real-IP",
        },
        "token": {
            "issuer": ISSUER,
            "expiration": TOKEN_SECONDS,
            "certificate": str(CONFIG / "signing.crt"),
            "key": str(CONFIG / "signing.key"),
        },
        "users": {user.name: {"password": user.secret} for user in settings.users},
        "acl": [{"match": {"account": user.name}, "actions": ROLES[user.role]} for user in settings.users],
    }


def substitutions(settings: Settings) -> dict[str, str]:
    """What goes into the templates of /usr/local/share/registry."""
    tls = f"ssl_certificate {settings.certificate};\n        ssl_certificate_key {settings.key};"
    return {
        "LISTEN": f"{settings.port} ssl" if settings.certificate else str(settings.port),
        "TLS": tls if settings.certificate else "",
        "REGISTRY_PORT": str(settings.port + 1),
        "TOKEN_PORT": str(settings.port + 2),
        "TOKEN_SECONDS": str(TOKEN_SECONDS),
        "URL": settings.url or "$scheme://$http_host",
        "SCHEDULE": settings.schedule,
        "LOG_MB": str(settings.log_mb),
        "SSHD_PORT": str(settings.sshd_port),
        "SSHD": "True" if settings.sshd_port else "False",
    }


def write(path: Path, text: str, mode: int = 0o644, group: str = "root") -> None:
    """Write a file that nobody else can read before it has its mode."""
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
        stream.write(text)
    shutil.chown(path, "root", group)
    path.chmod(mode)


def keep(path: Path, make: list[str] | str, mode: int = 0o600, group: str = "root") -> str:
    """What a file in the volume /config has. The first start makes it: a text, or by a command that gets its path."""
    if not path.exists():
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        if isinstance(make, str):
            write(new, make)
        else:
            subprocess.run([*make, str(new)], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        new.with_name(f"{new.name}.pub").unlink(missing_ok=True)  # ssh-keygen leaves it, and nobody reads it
        new.replace(path)
    shutil.chown(path, "root", group)
    path.chmod(mode)
    return path.read_text()


def prepare(settings: Settings) -> None:
    """Write what the services read."""
    for folder in (RUN, DATA, CONFIG, LOGS):
        folder.mkdir(exist_ok=True)
    shutil.chown(DATA, "docker-registry", "docker-registry")
    CONFIG.chmod(0o755)  # what is secret in it has modes of its own
    LOGS.chmod(0o750)
    secret = keep(CONFIG / "http.secret", secrets.token_hex(32))
    key, certificate = CONFIG / "signing.key", CONFIG / "signing.crt"
    keep(key, ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"], 0o640, "daemon")
    request = ["openssl", "req", "-x509", "-key", str(key), "-subj", f"/CN={ISSUER}", "-days", "36500", "-out"]
    keep(certificate, request, 0o644)
    write(RUN / "registry.json", json.dumps(registry_configuration(settings, secret)), 0o640, "docker-registry")
    write(RUN / "docker_auth.json", json.dumps(token_configuration(settings)), 0o640, "daemon")
    places = {"nginx.conf": RUN, "circus.ini": RUN, "logrotate.conf": RUN, "crontab": Path("/etc/cron.d")}
    if settings.sshd_port:
        places["sshd_config"] = RUN
        Path("/run/sshd").mkdir(exist_ok=True, mode=0o755)
        keep(CONFIG / "ssh_host_ed25519_key", ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"])
    for name, folder in places.items():
        text = Path("/usr/local/share/registry", name).read_text()
        for word, value in substitutions(settings).items():
            text = text.replace(f"@{word}@", value)
        write(folder / name.replace("crontab", "registry"), text)


def main() -> None:
    """The command line."""
    settings = read_settings(os.environ)
    if sys.argv[1:] == ["--check"]:
        return
    try:
        prepare(settings)
    except OSError as error:
        fail(f"the volume of {error.filename}: cannot write: {error.strerror}")
    except subprocess.CalledProcessError as error:
        fail(f"the volume /config: {error.cmd[0]} ended with code {error.returncode}; is there room in it?")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    program = "/opt/venv/bin/circusd"
    os.execve(program, [program, str(RUN / "circus.ini")], environment)


if __name__ == "__main__":
    main()
