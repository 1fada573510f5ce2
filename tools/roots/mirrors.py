"""Where Debian packages come from: the mirrors of the two archives, tried in turn.

`DEBIAN_MIRRORS` ("URL URL") names them; otherwise the machine's own apt configuration
does (sources.list(5): one-line and deb822 forms). A lock never holds a host, only the
archive ("debian", "debian-security") and a path inside it.

The launcher uses this module too: Python 3.9 and its standard library are all it needs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.lib.errors import UserError

VARIABLE = "DEBIAN_MIRRORS"
MAIN = "debian"
SECURITY = "debian-security"
SUITES = ("bullseye", "bookworm", "trixie", "forky", "sid")
_ALIASES = ("oldoldstable", "oldstable", "stable", "testing", "unstable")
_HOW_TO = (
    f'name one with: {VARIABLE}="http://HOST/debian" '
    f'(and --repo_env={VARIABLE}=... for a build); the security archive is its sibling "-security"'
)


@dataclass(frozen=True)
class Mirrors:
    """Base URLs without a final slash, best first, for the two archives."""

    debian: tuple[str, ...]
    security: tuple[str, ...]

    def bases(self, archive: str) -> tuple[str, ...]:
        """The base URLs of an archive by the name that locks give it."""
        return self.security if archive == SECURITY else self.debian

    def urls(self, archive: str, path: str) -> tuple[str, ...]:
        """The places of a file, in the order to try them."""
        return tuple(f"{base}/{path}" for base in self.bases(archive))


def find_mirrors(environment: Mapping[str, str] = os.environ, apt: Path = Path("/etc/apt")) -> Mirrors:
    """The mirrors of this machine. Raises UserError when there are none."""
    setting = environment.get(VARIABLE, "").split()
    if setting:
        return _from_setting(setting)
    main: list[str] = []
    security: list[str] = []
    for uri, suites in _apt_entries(apt):
        base = uri.rstrip("/")
        place = base.rsplit("/", 1)[-1]
        if place not in (MAIN, SECURITY) or not _is_url(base):
            continue
        if not any(suite.split("-")[0].split("/")[0] in SUITES + _ALIASES for suite in suites):
            continue
        is_security = place == SECURITY or all(suite.endswith("-security") for suite in suites)
        (security if is_security else main).append(base)
    return _complete(main, security, f"{apt}: no Debian mirror in the apt configuration; {_HOW_TO}")


def _from_setting(entries: list[str]) -> Mirrors:
    for entry in entries:
        if not _is_url(entry):
            raise UserError(f"{VARIABLE}: '{entry}' is not an http, https or file URL; {_HOW_TO}")
    bases = [entry.rstrip("/") for entry in entries]
    main = [base for base in bases if not base.endswith("-security")]
    security = [base for base in bases if base.endswith("-security")]
    return _complete(main, security, f"{VARIABLE}: only security archives are named; {_HOW_TO}")


def _complete(main: list[str], security: list[str], none: str) -> Mirrors:
    """Fill a missing archive from its sibling: the security one, or the main one from that."""
    if not main:
        main = [base[: -len("-security")] for base in security if base.endswith("/" + SECURITY)]
    if not main:
        raise UserError(none)
    if not security:
        security = [f"{base}-security" for base in main]
    return Mirrors(tuple(dict.fromkeys(main)), tuple(dict.fromkeys(security)))


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://", "file:///"))


def _apt_entries(apt: Path) -> Iterator[tuple[str, list[str]]]:
    """Every (URI, suites) of the enabled binary sources, in apt's own order of files."""
    parts = apt / "sources.list.d"
    files = [apt / "sources.list", *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))]
    for file in files:
        try:
            text = file.read_text(errors="replace")
        except OSError:
            continue
        yield from _deb822(text) if file.suffix == ".sources" else _one_line(text)


def _one_line(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+(\S+)", line.strip())
        if match:
            yield match.group(1), [match.group(2)]


def _deb822(text: str) -> Iterator[tuple[str, list[str]]]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields: dict[str, list[str]] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in (" ", "\t"):
                fields.setdefault(name, []).extend(line.split())
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.split()
        if "deb" not in fields.get("types", []) or fields.get("enabled", [""])[0].lower() in ("no", "false"):
            continue
        for uri in fields.get("uris", []):
            yield uri, fields.get("suites", [])
