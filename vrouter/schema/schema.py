"""Reads a schema of netlink messages (vrouter.yaml) and checks it.

The format, a small relative of the kernel's own netlink specs
(Documentation/userspace-api/netlink/specs.rst):

    family: NAME                   the generic netlink family, at most 15 characters
    version: NUMBER                its version, 1 to 255
    attribute-sets:                sets of attributes, numbered from 1 in their order
      - name: NAME
        attributes:
          - name: NAME
            type: TYPE             u8, u16, u32, u64, string, mac (6 bytes), ipv4 (4 bytes,
                                   network order), or pad (aligns u64; one per set)
            doc: TEXT
            min: NUMBER            integers only: the smallest and largest value accepted
            max: NUMBER            for a string, required: the most characters
            values: [NAME, ...]    integers with min and max only: names of the numbers from min on
    commands:                      numbered from 1 in their order
      - name: NAME
        doc: TEXT
        attribute-set: NAME
        modes: [do, dump]          one or both
        flags: [admin-perm]        the caller needs CAP_NET_ADMIN; what changes something has it
        request: [ATTRIBUTE, ...]  what a request may carry; nothing if absent
        reply: [ATTRIBUTE, ...]

Every mistake is a UserError that begins with file:line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import yaml

from tools.lib.errors import UserError

INTEGERS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64}
# Types whose values all have one length, in bytes.
FIXED = {"mac": 6, "ipv4": 4}
TYPES = (*INTEGERS, "string", *FIXED, "pad")
MODES = ("do", "dump")
FLAGS = ("admin-perm",)
# struct nla_policy keeps a string's length in a u16; strings past this serve nobody.
STRING_LIMIT = 32767
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Attribute:
    """One attribute; `number` is its type on the wire, `values` names the numbers from `min` to `max`."""

    name: str
    number: int
    type: str
    doc: str
    min: int | None = None
    max: int | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class AttributeSet:
    """The attributes that one kind of object has."""

    name: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True)
class Command:
    """One command; `request` are the attributes that a request may carry."""

    name: str
    number: int
    doc: str
    attributes: AttributeSet
    modes: tuple[str, ...]
    flags: tuple[str, ...]
    request: tuple[Attribute, ...]
    reply: tuple[Attribute, ...]


@dataclass(frozen=True)
class Schema:
    """A generic netlink family."""

    family: str
    version: int
    sets: tuple[AttributeSet, ...]
    commands: tuple[Command, ...]


class _Reader:
    """Takes YAML nodes apart; the nodes know their line."""

    def __init__(self, path: str) -> None:
        self.path = path

    def fail(self, node: yaml.Node, text: str) -> NoReturn:
        raise UserError(f"{self.path}:{node.start_mark.line + 1}: {text}")

    def mapping(
        self, node: yaml.Node, what: str, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, yaml.Node]:
        required, known = list(required), [*required, *optional]
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f"expected {what} as a mapping with {', '.join(required)}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in known:
                self.fail(key, f"{what} has no key {name!r}; it may have: {', '.join(known)}")
            if name in found:
                self.fail(key, f"{what} has the key {name!r} twice; remove one")
            found[name] = value
        for name in required:
            if name not in found:
                self.fail(node, f"{what} lacks the key {name!r}; add it")
        return found

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.fail(node, f"expected {what} as a list that isn't empty")
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self.fail(node, f"expected {what} as text")
        if "*/" in node.value:
            self.fail(node, f"{what} has '*/', which would end the comment in C; reword it")
        return " ".join(node.value.split())

    def name(self, node: yaml.Node, what: str) -> str:
        text = self.text(node, what)
        if not _NAME.fullmatch(text):
            self.fail(node, f"{what} is {text!r}; expected lower-case letters, digits and single dashes")
        return text

    def number(self, node: yaml.Node, what: str, low: int, high: int) -> int:
        text = self.text(node, what)
        if not re.fullmatch(r"\d{1,20}", text) or not low <= int(text) <= high:
            self.fail(node, f"{what} is {text!r}; expected a number from {low} to {high}")
        return int(text)

    def choices(self, node: yaml.Node, what: str, known: Iterable[str]) -> tuple[str, ...]:
        found: list[str] = []
        for item in self.items(node, f"{what}s"):
            text = self.text(item, f"a {what}")
            if text not in known or text in found:
                self.fail(
                    item, f"{what} {text!r} is unknown or there twice; expected each of {', '.join(known)} once"
                )
            found.append(text)
        return tuple(found)

    def limits(self, fields: dict[str, yaml.Node], kind: str) -> dict[str, int]:
        """`min` and `max`, as far as the attribute has them and its type allows them."""
        found: dict[str, int] = {}
        low, high = (1, STRING_LIMIT) if kind == "string" else (0, 2 ** INTEGERS.get(kind, 0) - 1)
        for key in ("min", "max"):
            if key in fields:
                if kind not in INTEGERS and (kind, key) != ("string", "max"):
                    self.fail(fields[key], f"a {kind} has no {key}; remove it")
                found[key] = self.number(fields[key], key, low, high)
        if found.get("min", low) > found.get("max", high):
            self.fail(fields["min"], f"min {found['min']} is greater than max; correct either")
        return found

    def values(self, node: yaml.Node, limits: dict[str, int]) -> tuple[str, ...]:
        """The names of an integer's numbers, one for each from `min` to `max`."""
        names = tuple(self.name(item, "a value's name") for item in self.items(node, "values"))
        if len(set(names)) < len(names):
            self.fail(node, "values has a name twice; rename one")
        if "min" not in limits or limits.get("max") != limits["min"] + len(names) - 1:
            self.fail(node, f"values has {len(names)} names; give an integer as many numbers by min and max")
        return names

    def attribute(self, node: yaml.Node, number: int) -> Attribute:
        fields = self.mapping(node, "an attribute", ("name", "type", "doc"), ("min", "max", "values"))
        name = self.name(fields["name"], "the attribute's name")
        kind = self.text(fields["type"], "the type")
        if kind not in TYPES:
            self.fail(fields["type"], f"unknown type {kind!r}; choose one of: {', '.join(TYPES)}")
        if kind == "string" and "max" not in fields:
            self.fail(node, f"the string {name!r} needs max, the most characters it may have")
        limits = self.limits(fields, kind)
        values = self.values(fields["values"], limits) if "values" in fields else ()
        doc = self.text(fields["doc"], "doc")
        return Attribute(name, number, kind, doc, limits.get("min"), limits.get("max"), values)

    def attribute_set(self, node: yaml.Node) -> AttributeSet:
        fields = self.mapping(node, "an attribute set", ("name", "attributes"))
        name = self.name(fields["name"], "the set's name")
        found: dict[str, Attribute] = {}
        for number, item in enumerate(self.items(fields["attributes"], "attributes"), 1):
            attribute = self.attribute(item, number)
            if attribute.name in found:
                self.fail(item, f"the set {name!r} has an attribute {attribute.name!r} already; rename one")
            found[attribute.name] = attribute
        types = [attribute.type for attribute in found.values()]
        if types.count("pad") > 1:
            self.fail(fields["attributes"], f"the set {name!r} has two pads; remove one")
        if "u64" in types and "pad" not in types:
            self.fail(fields["attributes"], f"the set {name!r} has a u64 and no pad; add one of type pad")
        return AttributeSet(name, tuple(found.values()))

    def references(self, node: yaml.Node | None, what: str, within: AttributeSet) -> tuple[Attribute, ...]:
        known = {attribute.name: attribute for attribute in within.attributes if attribute.type != "pad"}
        found: list[Attribute] = []
        for item in self.items(node, what) if node else []:
            name = self.text(item, f"an attribute of {what}")
            if name not in known:
                self.fail(
                    item,
                    f"{what} names {name!r}; the set {within.name!r} has: {', '.join(known) or 'nothing'}",
                )
            if known[name] in found:
                self.fail(item, f"{what} names {name!r} twice; remove one")
            found.append(known[name])
        return tuple(found)

    def command(self, node: yaml.Node, number: int, sets: dict[str, AttributeSet]) -> Command:
        fields = self.mapping(
            node, "a command", ("name", "doc", "attribute-set", "modes"), ("flags", "request", "reply")
        )
        chosen = self.text(fields["attribute-set"], "attribute-set")
        if chosen not in sets:
            self.fail(fields["attribute-set"], f"no attribute set {chosen!r}; there are: {', '.join(sets)}")
        return Command(
            self.name(fields["name"], "the command's name"),
            number,
            self.text(fields["doc"], "doc"),
            sets[chosen],
            self.choices(fields["modes"], "mode", MODES),
            self.choices(fields["flags"], "flag", FLAGS) if "flags" in fields else (),
            self.references(fields.get("request"), "request", sets[chosen]),
            self.references(fields.get("reply"), "reply", sets[chosen]),
        )

    def schema(self, node: yaml.Node) -> Schema:
        fields = self.mapping(node, "the schema", ("family", "version", "attribute-sets", "commands"))
        family = self.name(fields["family"], "the family's name")
        if len(family) > 15:
            self.fail(
                fields["family"], f"the family's name {family!r} is longer than 15 (GENL_NAMSIZ); shorten it"
            )
        sets: dict[str, AttributeSet] = {}
        for item in self.items(fields["attribute-sets"], "attribute-sets"):
            one = self.attribute_set(item)
            if one.name in sets:
                self.fail(item, f"there is an attribute set {one.name!r} already; rename one")
            sets[one.name] = one
        commands: dict[str, Command] = {}
        for number, item in enumerate(self.items(fields["commands"], "commands"), 1):
            command = self.command(item, number, sets)
            if command.name in commands:
                self.fail(item, f"there is a command {command.name!r} already; rename one")
            commands[command.name] = command
        if len(commands) > 255:
            self.fail(
                fields["commands"], "a family has at most 255 commands; its messages hold them in one byte"
            )
        version = self.number(fields["version"], "version", 1, 255)
        return Schema(family, version, tuple(sets.values()), tuple(commands.values()))


def parse(text: str, path: str) -> Schema:
    """The schema in `text`; `path` is its name in errors. Raises UserError with file:line."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{path}:{line}: not YAML: {error.problem}; mend the syntax there") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(f"{path}:{line}: not YAML: {error.reason}; remove that character") from error
    if node is None:
        raise UserError(f"{path}:1: expected a schema, found nothing; schema.py describes the format")
    return _Reader(path).schema(node)


def read(path: Path) -> Schema:
    """The schema in the file. Raises UserError with file:line, or when it can't be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot read the schema: {error.strerror}; correct --schema") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}:{line}: expected text in UTF-8; save the file as UTF-8") from error
    return parse(text, str(path))
