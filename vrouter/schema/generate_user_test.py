"""Tests of the generator of user space's tables."""

import re
from pathlib import Path

import pytest

from tools.lib.errors import UserError
from vrouter.schema.generate_user import main, tables
from vrouter.schema.schema import parse, read

REAL = Path(__file__).with_name("vrouter.yaml")

SMALL = """\
family: demo
version: 3
attribute-sets:
  - name: port
    attributes:
      - {name: pad, type: pad, doc: alignment}
      - {name: net-id, type: u16, min: 1, doc: 'the "network"'}
      - {name: label, type: string, max: 15, doc: its label}
      - {name: bytes, type: u64, doc: traffic}
      - {name: kind, type: u8, min: 1, max: 2, values: [inner, outer], doc: its kind}
      - {name: prefix, type: ipv4, doc: its network}
      - {name: length, type: u8, max: 32, doc: how many bits count}
commands:
  - {name: port-set, doc: change it, attribute-set: port, modes: [do], request: [net-id, kind]}
  - {name: port-list, doc: all, attribute-set: port, modes: [do, dump], reply: [net-id, bytes]}
"""


def entry(text: str, name: str) -> list[str]:
    """The lines of the initialiser that has this name."""
    (found,) = re.findall(rf'\t\[\d+\] = {{\n\t\t.name = "{name}",\n(.*?)\t}},\n', text, re.DOTALL)
    return [line.strip() for line in found.splitlines()]


def test_an_attribute_has_its_limits_and_names() -> None:
    text = tables(parse(SMALL, "demo.yaml"))
    assert entry(text, "net-id")[0] == '.doc = "the \\"network\\"",'
    assert entry(text, "net-id")[1:] == [".type = TYPE_U16,", ".min = 1,", ".max = 65535ULL,"]
    assert ".max = 15ULL," in entry(text, "label")
    assert ".max = 18446744073709551615ULL," in entry(text, "bytes")
    assert ".values = port_kind_values," in entry(text, "kind")
    assert 'port_kind_values[] = { "inner", "outer" };' in text
    assert ".length = 7," in entry(text, "prefix") and not any(".length" in line for line in entry(text, "length"))


def test_a_command_has_its_attributes_in_order() -> None:
    text = tables(parse(SMALL, "demo.yaml"))
    assert entry(text, "port-set")[:2] == [".number = 1,", ".set = &port_set,"]
    assert entry(text, "port-set")[2:] == [".request = { 2, 5, 0 },", ".reply = { 0 },"]
    assert entry(text, "port-list")[2:] == [".dump = true,", ".request = { 0 },", ".reply = { 2, 4, 0 },"]
    assert "const unsigned int last_command = 2;" in text


def test_the_real_schema_has_all_its_commands(tmp_path: Path) -> None:
    assert main(["--schema", str(REAL), "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out/vr_schema.c").read_text()
    for command in read(REAL).commands:
        assert f".number = {command.number}," in entry(text, command.name)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot make the folder"):
        main(["--schema", str(REAL), "--out", str(tmp_path / "file/out")])
