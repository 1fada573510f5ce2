"""Apt as a library: its own solver and its check of signatures, over a state of our own.

Nothing of the machine's packages takes part: the list of sources, the indexes, the cache and
the status file are private. Of the machine's settings only how to reach a mirror counts
(proxies, certificates, passwords: apt.conf(5) `Acquire`, apt_auth.conf(5)).
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.lib.errors import UserError
from tools.lib.locks import Package
from tools.roots.mirrors import MAIN, SECURITY, VARIABLE, Mirrors

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ARCHITECTURE = "amd64"
_MACHINE = ("resolv.conf", "hosts", "gai.conf", "passwd", "group", "ssl", "ca-certificates", "apt")
_SECONDS = 1200
_UNREACHED = re.compile(r"Could not (connect|resolve)|Unable to connect|[Tt]imed out|Temporary failure resolving")
_KEPT_SETTINGS = re.compile(r"Acquire::(http|https)::\S*(Proxy|CaInfo|CaPath|Verify|SslCert|SslKey|User-Agent)\S* ")
_URI = re.compile(
    r"'(?P<uri>[^']+)' (?P<file>[^ ]+)_(?P<version>[^ _]+)_(?P<arch>[^ _]+)\.deb "
    r"(?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Programs:
    """Where apt's programs come from: an unpacked root, or the machine when `root` is None."""

    root: Path | None = None
    keyring: Path | None = None

    def command(self, words: Sequence[str], state: Path, shown: Iterable[str] = ()) -> list[str]:
        """The command line that runs apt; `state` and the files `shown` are seen at their own paths."""
        if self.root is None:
            return list(words)
        line = ["bwrap", "--die-with-parent", "--dir", "/tmp", "--dir", "/etc"]
        for entry in sorted(self.root.iterdir()):
            if entry.name in ("dev", "etc", "proc", "sys", "tmp"):
                continue
            if entry.is_symlink():
                line += ["--symlink", os.readlink(entry), f"/{entry.name}"]
            else:
                line += ["--ro-bind", str(entry), f"/{entry.name}"]
        for name in _MACHINE:
            line += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        # A fresh /proc can't be mounted inside Bazel's own root.
        line += ["--dev", "/dev", "--ro-bind", "/proc", "/proc", "--bind", str(state), str(state)]
        for path in shown:
            line += ["--ro-bind", path, path]
        return [*line, "--", *words]


class Apt:
    """The packages of a list of suites, as one apt sees them.

    `preferred` suites are installed from; `others` only where those lack a package, or where
    it is asked for as NAME/SUITE. `folder` is empty and stays as long as this object.
    """

    def __init__(
        self, folder: Path, preferred: Sequence[str], mirrors: Mirrors, programs: Programs, others: Sequence[str] = ()
    ) -> None:
        self._folder = folder.resolve()
        self._suites = (*preferred, *others)
        self._others = tuple(others)
        self._bases = {MAIN: list(mirrors.debian), SECURITY: list(mirrors.security)}
        self._programs = programs
        for name in ("lists/partial", "cache/archives/partial"):
            (self._folder / name).mkdir(parents=True)
        for name in ("auth.conf", "status"):
            (self._folder / name).touch()
        self._write_settings()

    def _write_settings(self) -> None:
        state = self._folder
        dump = ["apt-config", "dump", "--format", '%F "%v";%n', "Acquire"]
        machine = self._run(dump, settings=False).stdout.splitlines()
        settings = {
            "APT::Architecture": ARCHITECTURE,
            "APT::Architectures": ARCHITECTURE,
            "APT::Install-Recommends": "false",
            "APT::Install-Suggests": "false",
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
            # What a lock trusts is each package's digest; a mirror may lag behind the date.
            "Acquire::Check-Valid-Until": "false",
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::ForceHash": "SHA256",
            # apt 2.6 waits for ever when it tries again with one method and checks a signature with another.
            "Acquire::Retries": "0",
            "Acquire::http::Timeout": "20",
            "Acquire::https::Timeout": "20",
            "APT::Update::Error-Mode": "any",
            "Dir::State": f"{state}/",
            "Dir::State::lists": f"{state}/lists/",
            "Dir::State::status": f"{state}/status",
            "Dir::Cache": f"{state}/cache/",
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::sourcelist": f"{state}/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": f"{state}/preferences",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Etc::trusted": "/dev/null",
            "Dir::Etc::trustedparts": "/dev/null",
        }
        lines = [f'{name} "{value}";' for name, value in settings.items()]
        lines += [line for line in machine if _KEPT_SETTINGS.match(line)]
        (state / "apt.conf").write_text("\n".join(lines) + "\n")
        pins = [f"Package: *\nPin: release n={suite}\nPin-Priority: 100\n" for suite in self._others]
        (state / "preferences").write_text("\n".join(pins))

    def _run(self, words: Sequence[str], settings: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {name: os.environ[name] for name in os.environ if name.lower().endswith("_proxy")}
        environment |= {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": str(self._folder)}
        environment["TMPDIR"] = str(self._folder)
        if settings:
            environment["APT_CONFIG"] = f"{self._folder}/apt.conf"
        bases = [urlsplit(base) for bases in self._bases.values() for base in bases]
        shown = [base.path for base in bases if base.scheme == "file"]
        if self._programs.keyring:
            shown.append(str(self._programs.keyring))
        command = self._programs.command(words, self._folder, shown)
        program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/bin")
        if program is None:
            raise UserError(f"{command[0]} isn't installed on this machine; install it, or give --apt-root")
        try:
            return subprocess.run(
                [program, *command[1:]], env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise UserError(f"{' '.join(words[:3])} has not ended after {_SECONDS} seconds; run it again") from error

    def update(self) -> None:
        """Fetch the signed indexes; a mirror that can't serve them gives way to the next.

        Raises UserError for an unsigned or wrongly signed index, and when no mirror is left.
        """
        print(f"indexes of {', '.join(self._suites)}", file=sys.stderr, flush=True)
        while True:
            keyring = self._programs.keyring or KEYRING
            sources = [f"deb [signed-by={keyring}] {self._bases[_archive(s)][0]} {s} main\n" for s in self._suites]
            (self._folder / "sources.list").write_text("".join(sources))
            done = self._run(["apt-get", "-q", "update"])
            if done.returncode == 0:
                return
            said = [line for line in done.stderr.splitlines() if line[:2] in ("E:", "W:")]
            self._raise_on_bad_signature(said)
            for archive in (MAIN, SECURITY):
                base = self._bases[archive][0]
                if reasons := [line for line in said if f"{base}/dists/" in line or f"'{base} " in line]:
                    self._next_mirror(archive, reasons[0])
                    break
            else:
                raise UserError(f"apt-get update failed: {done.stderr.strip()}")

    def _raise_on_bad_signature(self, said: list[str]) -> None:
        for line in said:
            match = re.search(r"(https?|file):\S+ ", line + " ")
            base = match[0].strip() if match else "a mirror"
            suite = next((s for s in self._suites if f"/{s} " in line or f" {s} " in line or f"/{s}/" in line), "")
            what = f"{suite or 'a suite'} at {base.partition('/dists/')[0]}"
            if "GPG error" in line or "NO_PUBKEY" in line or "BADSIG" in line or "EXPKEYSIG" in line:
                reason = line.rpartition("InRelease: ")[2].strip()
                raise UserError(
                    f"the index of {what} isn't signed by a key of {self._programs.keyring or KEYRING}: {reason}\n"
                    f"use another mirror ({VARIABLE}), or lock the root `apt` anew if Debian has new keys"
                )
            if "is not signed" in line:
                raise UserError(
                    f"the index of {what} is not signed, so it isn't used; "
                    f"name a mirror with signed indexes: {VARIABLE}=\"URL URL\""
                )

    def _next_mirror(self, archive: str, said: str) -> None:
        base = self._bases[archive].pop(0)
        reason = re.sub(r"^[EW]: (Failed to fetch )?", "", said)
        if not self._bases[archive]:
            suites = ", ".join(suite for suite in self._suites if _archive(suite) == archive)
            raise UserError(
                f"no mirror of the archive '{archive}' serves {suites}; the last one tried said: {reason}\n"
                f'check the network, or name mirrors that have them: {VARIABLE}="URL URL"'
            )
        print(f"warning: mirror {base}: {reason}; trying {self._bases[archive][0]}", file=sys.stderr, flush=True)
        other = SECURITY if archive == MAIN else MAIN
        # A host that isn't reached for one archive isn't for the other: no need to wait for that again.
        if _UNREACHED.search(reason) and urlsplit(self._bases[other][0]).netloc == urlsplit(base).netloc:
            self._next_mirror(other, said)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all packages that have a version here."""
        return frozenset(self._run(["apt-cache", "pkgnames"]).stdout.split())

    def near(self, name: str, pattern: str = "") -> list[str]:
        """Up to five names that look like `name`, best first, of those that start with `pattern`."""
        candidates = [known for known in self.names if known.startswith(pattern or name[:1])]
        return difflib.get_close_matches(name, candidates, n=5, cutoff=0.6)

    def solve(self, packages: Sequence[str], without: Sequence[str] = ()) -> tuple[Package, ...]:
        """What `apt-get install` would install on an empty machine that has `without` already.

        Raises UserError with apt's explanation.
        """
        status = self._folder / "status"
        given = {entry["Package"]: entry["Version"] for entry in reversed(self.show(without))}
        status.write_text("".join(_installed(name, version) for name, version in given.items()))
        try:
            done = self._run(["apt-get", "-q", "-y", "--print-uris", "install", *packages])
        finally:
            status.write_text("")
        if done.returncode:
            explained = done.stdout.rpartition("unmet dependencies:\n")[2].rstrip() if "unmet" in done.stdout else ""
            raise UserError(f"{explained}\n{done.stderr.strip()}".strip("\n"))
        return self._parse_uris(done.stdout)

    def locate(self, packages: Sequence[tuple[str, str]]) -> tuple[Package, ...]:
        """Lock entries of exact (name, version) pairs."""
        if not packages:
            return ()
        return self.download([f"{name}={version}" for name, version in sorted(set(packages))])

    def download(self, packages: Sequence[str]) -> tuple[Package, ...]:
        """Lock entries of the packages alone, each NAME, NAME/SUITE or NAME=VERSION."""
        done = self._run(["apt-get", "-qq", "--print-uris", "download", *packages])
        if done.returncode:
            raise UserError(f"apt can't find a package that its own index lists: {done.stderr.strip()}")
        return self._parse_uris(done.stdout)

    def show(self, names: Sequence[str]) -> list[dict[str, str]]:
        """The index entries of all versions of the packages, as fields by name (deb-control(5))."""
        if not names:
            return []
        done = self._run(["apt-cache", "show", *sorted(names)])
        if done.returncode:
            raise UserError(f"apt-cache show: {done.stderr.strip()}")
        stanzas = done.stdout.strip().split("\n\n")
        return [dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.MULTILINE)) for stanza in stanzas]

    def origins(self, names: Sequence[str]) -> dict[tuple[str, str], str]:
        """The suite of each (name, version): the first in the list of suites that has it."""
        done = self._run(["apt-cache", "madison", *sorted(names)])
        suites: dict[tuple[str, str], str] = {}
        for line in done.stdout.splitlines():
            name, version, source = (part.strip() for part in line.split("|"))
            suite = source.split()[1].partition("/")[0]
            known = suites.setdefault((name, version), suite)
            if self._suites.index(suite) < self._suites.index(known):
                suites[name, version] = suite
        return suites

    def _parse_uris(self, text: str) -> tuple[Package, ...]:
        packages = []
        for match in _URI.finditer(text):
            uri = match["uri"]
            archive = next(a for a in (SECURITY, MAIN) if uri.startswith(self._bases[a][0] + "/"))
            packages.append(
                Package(
                    layer="",
                    name=unquote(match["file"]),
                    version=unquote(match["version"]),
                    arch=match["arch"],
                    sha256=match["sha256"],
                    size=int(match["size"]),
                    archive=archive,
                    path=unquote(uri[len(self._bases[archive][0]) + 1 :]),
                )
            )
        return tuple(packages)


def _archive(suite: str) -> str:
    return SECURITY if suite.endswith("-security") else MAIN


def _installed(name: str, version: str) -> str:
    """A dpkg status entry of a package that depends on nothing, newer than the one that does."""
    return (
        f"Package: {name}\nStatus: install ok installed\nArchitecture: {ARCHITECTURE}\nMulti-Arch: allowed\n"
        f"Version: {version}+given\nMaintainer: none\nDescription: taken as given\n\n"
    )
