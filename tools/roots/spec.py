"""What a root is: roots/NAME.yaml, read and checked, with lines for messages.

    suite: bookworm                # its -updates and -security are always included
    pockets: [bookworm-backports]  # further suites, for what the suite itself lacks or NAME/SUITE asks for
    packages: [gcc-12, make]       # NAME, or NAME/SUITE for the one that SUITE has
    extras: {scons: [scons, g++]}  # by name: what only some builds need, locked as a layer of its own
    without: [build-essential]     # dependencies that are taken as given and left out
    exclude: [usr/share/doc]       # path prefixes left out of the root
    links: {usr/bin/awk: mawk}     # symbolic links, such as maintainer scripts would make
    dependencies: false            # no root, only a list: just the packages themselves are locked

`suite` and `packages` are required.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tools.lib.errors import UserError
from tools.roots.mirrors import SUITES

_KEYS = ("suite", "pockets", "packages", "extras", "without", "exclude", "links", "dependencies")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(/[a-z][a-z-]*)?")
_EXTRA = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Wanted:
    """A package as the YAML names it, and where: `file:line`."""

    text: str
    place: str

    @property
    def name(self) -> str:
        """The package's name without the suite."""
        return self.text.partition("/")[0]


@dataclass(frozen=True)
class RootSpec:
    """A root's YAML."""

    name: str
    suite: str
    packages: tuple[Wanted, ...]
    pockets: tuple[str, ...] = ()
    extras: Mapping[str, tuple[Wanted, ...]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    dependencies: bool = True


def read_spec(path: Path) -> RootSpec:
    """Read roots/NAME.yaml. Raises UserError with file and line."""
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml")))
        raise UserError(f"{path}: no such root; there are: {known or 'none'}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot read: {error}") from error
    return parse_spec(text, path)


def parse_spec(text: str, path: Path) -> RootSpec:
    """The spec in `text`; `path` gives the root's name and stands in messages."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line}: not YAML: {error.problem or error.context}; correct that line") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML: {error}") from error
    reader = _Reader(path)
    if tree is None:
        raise UserError(f"{path}:1: the file is empty; expected at least `suite` and `packages`")
    fields = reader.mapping(tree, "the file")
    for key in fields:
        if key.value not in _KEYS:
            raise UserError(f"{reader.place(key)}: unknown key '{key.value}'; valid keys are: {', '.join(_KEYS)}")
    values = {key.value: node for key, node in fields.items()}
    for required in ("suite", "packages"):
        if required not in values:
            raise UserError(f"{path}:1: the key '{required}' is missing; `suite` and `packages` are required")
    suite = reader.text(values["suite"], "suite")
    if suite not in SUITES:
        place = reader.place(values["suite"])
        raise UserError(f"{place}: unknown suite '{suite}'; expected one of: {', '.join(SUITES)}")
    packages = reader.packages(values["packages"], "packages")
    if not packages:
        raise UserError(f"{reader.place(values['packages'])}: packages: expected at least one package")
    return RootSpec(
        name=path.name.removesuffix(".yaml"),
        suite=suite,
        packages=packages,
        pockets=reader.pockets(values.get("pockets")),
        extras=reader.extras(values.get("extras")),
        without=tuple(wanted.name for wanted in reader.packages(values.get("without"), "without")),
        exclude=tuple(reader.path(node, "exclude") for node in reader.sequence(values.get("exclude"), "exclude")),
        links=reader.links(values.get("links")),
        dependencies=reader.truth(values.get("dependencies"), "dependencies", default=True),
    )


class _Reader:
    """Checked access to YAML nodes, which know their lines; plain values don't."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def place(self, node: yaml.Node) -> str:
        """file:line of a node."""
        return f"{self._path}:{node.start_mark.line + 1}"

    def _wrong(self, node: yaml.Node, what: str, expected: str) -> UserError:
        kind = "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
        found = f"'{node.value}'" if isinstance(node, yaml.ScalarNode) else kind
        return UserError(f"{self.place(node)}: {what}: expected {expected}, found {found}")

    def text(self, node: yaml.Node, what: str) -> str:
        """A text."""
        if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
            raise self._wrong(node, what, "a text")
        return str(node.value)

    def truth(self, node: yaml.Node | None, what: str, default: bool) -> bool:
        """true or false; the default when the key is absent."""
        if node is None:
            return default
        if node.tag != "tag:yaml.org,2002:bool":
            raise self._wrong(node, what, "true or false")
        return bool(yaml.SafeLoader.bool_values[node.value.lower()])

    def sequence(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        """A list's items; none when the key is absent."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self._wrong(node, what, "a list, such as [a, b]")
        return list(node.value)

    def mapping(self, node: yaml.Node | None, what: str) -> dict[yaml.ScalarNode, yaml.Node]:
        """A mapping's keys and values; none when the key is absent."""
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(node, what, "a mapping, such as key: value")
        seen: set[str] = set()
        for key, _ in node.value:
            if (name := self.text(key, f"a key of {what}")) in seen:
                raise UserError(f"{self.place(key)}: the key '{name}' stands twice; keep one")
            seen.add(name)
        return dict(node.value)

    def path(self, node: yaml.Node, what: str) -> str:
        """A path inside the root."""
        text = self.text(node, what)
        if text.startswith("/") or not text.strip("/") or ".." in text.split("/"):
            raise self._wrong(node, what, "a path inside the root, such as usr/share/doc")
        return text.rstrip("/")

    def packages(self, node: yaml.Node | None, what: str) -> tuple[Wanted, ...]:
        """A list of packages."""
        wanted = []
        for item in self.sequence(node, what):
            text = self.text(item, what)
            if not _PACKAGE.fullmatch(text):
                raise self._wrong(item, what, "a package name, or NAME/SUITE")
            wanted.append(Wanted(text, self.place(item)))
        return tuple(wanted)

    def pockets(self, node: yaml.Node | None) -> tuple[str, ...]:
        """Further suites, such as bookworm-backports."""
        pockets = []
        for item in self.sequence(node, "pockets"):
            text = self.text(item, "pockets")
            if text.partition("-")[0] not in SUITES:
                raise self._wrong(item, "pockets", f"a suite of {', '.join(SUITES)}, like sid or trixie-backports")
            pockets.append(text)
        return tuple(pockets)

    def extras(self, node: yaml.Node | None) -> dict[str, tuple[Wanted, ...]]:
        """Lists of packages by name."""
        extras = {}
        for key, value in self.mapping(node, "extras").items():
            if not _EXTRA.fullmatch(key.value):
                raise self._wrong(key, "extras", "a name of small letters, digits and '-'")
            extras[key.value] = self.packages(value, f"extras: {key.value}")
        return extras

    def links(self, node: yaml.Node | None) -> dict[str, str]:
        """Links by path."""
        links = self.mapping(node, "links").items()
        return {self.path(key, "links"): self.text(value, f"links: {key.value}") for key, value in links}
