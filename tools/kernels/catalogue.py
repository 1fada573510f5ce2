"""The kernel catalogue: every kernel that modules are built for, and its packages.

kernels/catalogue.json is {"schema": 1, "kernels": [...]}, sorted by version; a kernel is

    release   what `uname -r` prints: "6.1.0-56-amd64"
    line      "6.1"
    flavour   "amd64", "cloud-amd64", "rt-amd64"; for a kernel from elsewhere whatever it has, or ""
    suite     where it was found: "bookworm-security"; "" for a kernel that was added by URL
    compiler  the program that built it: "gcc-12"
    root      the root to build in, as in roots/NAME.yaml
    packages  {"headers": [KEY], "image": [KEY]}; a KEY is "NAME=VERSION" in kernels/kernels.lock.json
    missing   the KEYs of its headers that no mirror had when it was found; absent otherwise
    missing_image   the same of its image: the kernel can be built for, and not tested
    origin    "url" when it was added by URL: `update` keeps it; absent otherwise
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.lib.errors import UserError
from tools.lib.files import write_atomically
from tools.lib.locks import Lock, Package, read_lock, write_lock

SCHEMA = 1
CATALOGUE = "catalogue.json"
LOCK = "kernels.lock.json"
REFRESH = "./bazelw run //kernels:update"
FLAVOURS = ("amd64", "cloud-amd64", "rt-amd64")
_HEADERS = re.compile(rf"linux-headers-(?P<release>\d+\.\d+\..+?)-(?P<flavour>{'|'.join(FLAVOURS)})")
_COMMON = re.compile(r"linux-headers-.+-common(-rt)?")
_COMPILER = re.compile(r"(?:linux-compiler-)?gcc-(\d+)(?:-x86|-for-host)?")
# A kernel to boot, best first. Some are published before their signed image is.
_IMAGES = (
    ("linux-image-{}",),
    ("linux-image-{}-unsigned",),
    ("linux-binary-unsigned-{}", "linux-modules-{}"),
)


@dataclass(frozen=True)
class Kernel:
    """One kernel of the catalogue; the fields are those of the module's description."""

    release: str
    flavour: str
    suite: str
    compiler: str
    root: str
    headers: tuple[str, ...]
    image: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    missing_image: tuple[str, ...] = ()
    origin: str = ""

    @property
    def line(self) -> str:
        """The first two numbers of the release."""
        return ".".join(re.findall(r"\d+", self.release)[:2])

    def to_json(self) -> dict[str, Any]:
        """The entry of the catalogue."""
        entry: dict[str, Any] = {
            "release": self.release,
            "line": self.line,
            "flavour": self.flavour,
            "suite": self.suite,
            "compiler": self.compiler,
            "root": self.root,
            "packages": {"headers": sorted(self.headers), "image": sorted(self.image)},
        }
        if self.missing:
            entry["missing"] = sorted(self.missing)
        if self.missing_image:
            entry["missing_image"] = sorted(self.missing_image)
        return entry | ({"origin": self.origin} if self.origin else {})


@dataclass(frozen=True)
class Published:
    """One version of a package in the indexes: its fields that matter here, and its suite."""

    name: str
    version: str
    depends: str
    suite: str

    @property
    def key(self) -> str:
        """NAME=VERSION, apt's own notation."""
        return f"{self.name}={self.version}"


_Known = dict[str, list[Published]]


def release_order(release: str) -> tuple[Any, ...]:
    """Sorts releases by their numbers: 6.1.0-9 before 6.1.0-10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", release))


def distribution(suite: str) -> str:
    """bookworm for bookworm, bookworm-security, bookworm-backports."""
    return suite.partition("-")[0]


def _dependencies(published: Published) -> list[tuple[str, str, str]]:
    """(name, relation, version) of every first alternative in Depends."""
    found = []
    for clause in published.depends.split(","):
        match = re.match(r"\s*([a-z0-9][a-z0-9+.-]+)(?::\w+)?(?:\s*\((<<|<=|=|>=|>>)\s*(\S+)\))?", clause)
        if match:
            found.append((match[1], match[2] or "", match[3] or ""))
    return found


def _choose(name: str, relation: str, version: str, wanted: Published, known: _Known) -> Published:
    """The package that satisfies a dependency of `wanted`: of its own version, else its distribution's newest."""
    candidates = [p for p in known.get(name, ()) if distribution(p.suite) == distribution(wanted.suite)]
    exact = [p for p in candidates if p.version == (version if relation == "=" else wanted.version)]
    chosen = exact or ([] if relation == "=" else candidates)
    if not chosen:
        raise UserError(f"{wanted.key} needs {name} {relation} {version}".rstrip() + ", which is not published")
    return chosen[0]


def _follow(start: Published, wanted: re.Pattern[str], known: _Known) -> tuple[str, ...]:
    """Keys of a package and of those that it depends on, as far as their names match."""
    keys: dict[str, None] = {}
    pending = [start]
    while pending:
        package = pending.pop()
        if package.key in keys:
            continue
        keys[package.key] = None
        pending += [
            _choose(*dependency, package, known)
            for dependency in _dependencies(package)
            if wanted.fullmatch(dependency[0])
        ]
    return tuple(sorted(keys))


def find_kernels(published: Iterable[Published]) -> tuple[list[Kernel], list[str]]:
    """The kernels whose headers are published, in order, and why others were left out.

    `published` lists each package's versions newest first, as apt does; the newest version of a
    release counts. A metapackage is no kernel: it depends on headers but not on common headers.
    """
    known: _Known = {}
    for package in published:
        known.setdefault(package.name, []).append(package)
    kernels, left_out = [], []
    for name, versions in known.items():
        match = _HEADERS.fullmatch(name)
        headers = versions[0]
        if not match or not any(_COMMON.fullmatch(dependency) for dependency, _, _ in _dependencies(headers)):
            continue
        try:
            kernels.append(_kernel(f"{match['release']}-{match['flavour']}", match["flavour"], headers, known))
        except UserError as error:
            left_out.append(str(error))
    return sorted(kernels, key=lambda kernel: release_order(kernel.release)), left_out


def _kernel(release: str, flavour: str, headers: Published, known: _Known) -> Kernel:
    compilers = [m[1] for name, _, _ in _dependencies(headers) if (m := _COMPILER.fullmatch(name))]
    if not compilers:
        raise UserError(f"{headers.key} depends on no gcc, so its compiler is unknown")
    here = re.escape(release)
    with_headers = re.compile(rf"linux-headers-.+-common(-rt)?|linux-kbuild-.+|linux-base-{here}")
    with_image = re.compile(rf"linux-(base|binary|modules)-{here}")
    image: set[str] = set()
    for names in _IMAGES:
        starts = [
            package
            for name in names
            for package in known.get(name.format(release), ())
            if package.version == headers.version
        ]
        if len(starts) == len(names):
            image = {key for start in starts for key in _follow(start, with_image, known)}
            break
    return Kernel(
        release=release,
        flavour=flavour,
        suite=headers.suite,
        compiler=f"gcc-{compilers[0]}",
        root=f"kbuild-{distribution(headers.suite)}",
        headers=_follow(headers, with_headers, known),
        image=tuple(sorted(image)),
    )


def read_catalogue(folder: Path) -> tuple[list[Kernel], dict[str, Package]]:
    """The committed kernels and their lock entries by key; nothing when there is no catalogue yet."""
    path = folder / CATALOGUE
    if not path.exists():
        return [], {}
    try:
        content = json.loads(path.read_text())
        if content["schema"] != SCHEMA:
            raise UserError(f"{path}: expected a catalogue with schema {SCHEMA}; make it anew with: {REFRESH}")
        kernels = [
            Kernel(
                **{name: entry[name] for name in ("release", "flavour", "suite", "compiler", "root")},
                headers=tuple(entry["packages"]["headers"]),
                image=tuple(entry["packages"]["image"]),
                missing=tuple(entry.get("missing", ())),
                missing_image=tuple(entry.get("missing_image", ())),
                origin=entry.get("origin", ""),
            )
            for entry in content["kernels"]
        ]
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: not JSON ({error.msg}); restore the file from git") from error
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: an entry is not as expected ({error}); restore the file from git") from error
    return kernels, {package_key(package): package for package in read_lock(folder / LOCK).packages}


def package_key(package: Package) -> str:
    """The key of a lock entry: NAME=VERSION."""
    return f"{package.name}={package.version}"


def write_catalogue(folder: Path, kernels: Sequence[Kernel], packages: Mapping[str, Package]) -> None:
    """Write catalogue and lock; of `packages` only what the kernels name."""
    keys = {key for kernel in kernels for key in (*kernel.headers, *kernel.image)}
    ordered = sorted(kernels, key=lambda kernel: release_order(kernel.release))
    content = {"schema": SCHEMA, "kernels": [kernel.to_json() for kernel in ordered]}
    write_lock(folder / LOCK, Lock("kernels", tuple(packages[key] for key in keys)))
    write_atomically(folder / CATALOGUE, json.dumps(content, indent=2) + "\n")
