"""Go modules as files: the lock that pins them, their zips, and the vendor folder that Go builds from.

Source of the formats: the Go modules reference (https://go.dev/ref/mod): "Module zip files", "go.sum files",
"Vendoring"; and golang.org/x/mod/sumdb/dirhash for the sum h1.
"""

import base64
import hashlib
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from tools.lib.errors import UserError

SCHEMA = 1
REFRESH = "./bazelw run //containers:update_go"
_GO = re.compile(r"^go\s+(\d\S*)", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Module:
    """One pinned module: `h1` is its sum as in go.sum, `sha256` that of its zip, as hexadecimal digits."""

    path: str
    version: str
    h1: str
    sha256: str

    @property
    def zip_name(self) -> str:
        """Where the zip lies below a folder of zips."""
        return f"{self.path}@{self.version}.zip"


@dataclass(frozen=True)
class Lock:
    """A lock's content: the package that is built, the version of the language, and the modules that it takes."""

    package: str
    go: str
    modules: tuple[Module, ...]

    def to_json(self) -> str:
        """The one text for this lock."""
        modules = [asdict(module) for module in sorted(self.modules)]
        content = {"schema": SCHEMA, "package": self.package, "go": self.go, "modules": modules}
        return json.dumps(content, indent=2) + "\n"

    def module_of(self, package: str) -> Module:
        """The module that has a package: the one with the longest path. Raises UserError if none has."""
        found = [module for module in self.modules if f"{package}/".startswith(f"{module.path}/")]
        if not found:
            raise UserError(f"no module of the lock has the package {package}; refresh the lock: {REFRESH}")
        return max(found, key=lambda module: len(module.path))


def read_lock(path: Path) -> Lock:
    """Read a lock. Raises UserError, whose text has no file name, if it isn't one."""
    try:
        content = json.loads(path.read_text())
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']}")
        return Lock(content["package"], content["go"], tuple(Module(**module) for module in content["modules"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"not a lock of Go modules with schema {SCHEMA} ({error}); make it anew: {REFRESH}") from error


def go_sum(archive: zipfile.ZipFile) -> str:
    """The sum h1 of a module's zip."""
    lines = [
        f"{hashlib.sha256(archive.read(name)).hexdigest()}  {name}\n"
        for name in sorted(archive.namelist(), key=str.encode)
    ]
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def vendor(modules: Sequence[Module], zips: Path, folder: Path) -> None:
    """Fill the folder `vendor` from the modules' zips, which lie below `zips`; tests of the modules are left out.

    Raises UserError for a zip that isn't there, isn't a module's, or has another sum.
    """
    listing = []
    for module in sorted(modules):
        path = zips / module.zip_name
        try:
            with zipfile.ZipFile(path) as archive:
                found = go_sum(archive)
                if found != module.h1:
                    raise UserError(
                        f"{module.path} {module.version}: the sum of the zip is {found}, the lock has {module.h1}; "
                        f"don't build with it before you know why. To lock the module anew: {REFRESH}"
                    )
                listing += _unpack(module, archive, folder / module.path)
        except FileNotFoundError as error:
            raise UserError(
                f"{module.path} {module.version}: its zip isn't among the inputs; refresh: {REFRESH}"
            ) from error
        except zipfile.BadZipFile as error:
            raise UserError(
                f"{module.path} {module.version}: not a zip ({error}); remove it to fetch it anew"
            ) from error
    (folder / "modules.txt").write_text("".join(f"{line}\n" for line in listing))


def _unpack(module: Module, archive: zipfile.ZipFile, folder: Path) -> list[str]:
    """Unpack one module; returns its lines of vendor/modules.txt."""
    prefix = f"{module.path}@{module.version}/"
    packages = set()
    go = ""
    for name in archive.namelist():
        inside = PurePosixPath(name.removeprefix(prefix))
        if not name.startswith(prefix) or ".." in inside.parts or inside.is_absolute():
            raise UserError(f"{module.path} {module.version}: its zip has '{name}', which isn't below {prefix}")
        if name.endswith(("/", "_test.go")):
            continue
        place = folder / inside
        place.parent.mkdir(parents=True, exist_ok=True)
        content = archive.read(name)
        place.write_bytes(content)
        if inside.suffix == ".go":
            packages.add(str(PurePosixPath(module.path, inside.parent)))
        elif str(inside) == "go.mod" and (line := _GO.search(content.decode())):
            go = f"; go {line[1]}"
    return [f"# {module.path} {module.version}", f"## explicit{go}", *sorted(packages)]


def main_module(lock: Lock) -> str:
    """The go.mod of the module in which a lock's package is built."""
    requirements = "".join(f"\t{module.path} {module.version}\n" for module in sorted(lock.modules))
    return f"module forge\n\ngo {lock.go}\n\nrequire (\n{requirements})\n"
