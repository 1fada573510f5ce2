"""Tests of the generator: what it makes of the real schema, and what it says about bad ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.lib.errors import UserError
from vrouter.schema.generate import generate, main
from vrouter.schema.schema import parse, read

REAL = Path(__file__).with_name("vrouter.yaml")

SMALL = """\
family: demo
version: 3
attribute-sets:
  - name: port
    attributes:
      - {name: pad, type: pad, doc: alignment}
      - {name: net-id, type: u16, min: 1, max: 4094, doc: the network}
      - {name: label, type: string, max: 15, doc: its label}
      - {name: bytes, type: u64, doc: traffic}
      - {name: level, type: u8, max: 7, doc: priority}
      - {name: kind, type: u8, min: 1, max: 2, values: [inner, outer], doc: its kind}
      - {name: tag, type: u32, min: 16, max: 1048575, doc: its tag}
      - {name: address, type: mac, doc: its address}
      - {name: next, type: ipv4, doc: its neighbour}
commands:
  - name: port-set
    doc: change it
    attribute-set: port
    modes: [do]
    flags: [admin-perm]
    request: [net-id, label, level, kind, tag, address, next]
  - {name: port-list, doc: all of them, attribute-set: port, modes: [dump], reply: [net-id, bytes]}
"""


def wrong(old: str, new: str) -> str:
    """What parsing SMALL with one thing changed says."""
    assert SMALL.count(old) == 1
    with pytest.raises(UserError) as caught:
        parse(SMALL.replace(old, new), "demo.yaml")
    return str(caught.value)


def test_numbers_follow_the_order() -> None:
    header = generate(parse(SMALL, "demo.yaml"))["vr_nl.h"]
    assert re.findall(r"\t(VR_\w+) = (\d+),", header) == [
        ("VR_CMD_PORT_SET", "1"),
        ("VR_CMD_PORT_LIST", "2"),
        ("VR_PORT_ATTR_PAD", "1"),
        ("VR_PORT_ATTR_NET_ID", "2"),
        ("VR_PORT_ATTR_LABEL", "3"),
        ("VR_PORT_ATTR_BYTES", "4"),
        ("VR_PORT_ATTR_LEVEL", "5"),
        ("VR_PORT_ATTR_KIND", "6"),
        ("VR_PORT_ATTR_TAG", "7"),
        ("VR_PORT_ATTR_ADDRESS", "8"),
        ("VR_PORT_ATTR_NEXT", "9"),
        ("VR_PORT_KIND_INNER", "1"),
        ("VR_PORT_KIND_OUTER", "2"),
    ]
    assert '#define VR_FAMILY_NAME "demo"' in header
    assert "#define VR_FAMILY_VERSION 3" in header
    assert "#define VR_PORT_ATTR_MAX VR_PORT_ATTR_NEXT" in header


def test_a_policy_lists_the_request_and_nothing_else() -> None:
    source = generate(parse(SMALL, "demo.yaml"))["vr_nl_policy.c"]
    requests = re.findall(r"nla_policy (\w+)\[VR_PORT_ATTR_MAX \+ 1\] = \{\n(.*?)\};", source, re.DOTALL)
    assert dict(requests) == {
        "vr_port_set_policy": (
            "\t[VR_PORT_ATTR_NET_ID] = NLA_POLICY_RANGE(NLA_U16, 1, 4094),\n"
            "\t[VR_PORT_ATTR_LABEL] = { .type = NLA_NUL_STRING, .len = 15 },\n"
            "\t[VR_PORT_ATTR_LEVEL] = NLA_POLICY_MAX(NLA_U8, 7),\n"
            "\t[VR_PORT_ATTR_KIND] = NLA_POLICY_RANGE(NLA_U8, 1, 2),\n"
            "\t[VR_PORT_ATTR_TAG] = NLA_POLICY_FULL_RANGE(NLA_U32, &vr_port_tag_range),\n"
            "\t[VR_PORT_ATTR_ADDRESS] = NLA_POLICY_EXACT_LEN(6),\n"
            "\t[VR_PORT_ATTR_NEXT] = NLA_POLICY_EXACT_LEN(4),\n"
        ),
        "vr_port_list_policy": "\t/* nothing is accepted */\n",
    }


def test_limits_past_those_of_a_policy_are_a_range_of_their_own() -> None:
    source = generate(parse(SMALL, "demo.yaml"))["vr_nl_policy.c"]
    ranges = re.findall(r"netlink_range_validation (\w+) = \{\s+(.*?)\};", source, re.DOTALL)
    assert ranges == [("vr_port_tag_range", ".min = 16ULL,\n\t.max = 1048575ULL,\n")]


def test_what_changes_something_needs_a_capability() -> None:
    source = generate(parse(SMALL, "demo.yaml"))["vr_nl_policy.c"]
    assert re.findall(r"\.cmd = (\w+),[^}]*GENL_ADMIN_PERM", source) == ["VR_CMD_PORT_SET"]
    open_to_all = [command.name for command in read(REAL).commands if "admin-perm" not in command.flags]
    assert [name for name in open_to_all if not name.endswith("-get")] == []


def test_operations_call_the_declared_handlers() -> None:
    files = generate(parse(SMALL, "demo.yaml"))
    called = re.findall(r"\.(doit|dumpit) = (\w+),", files["vr_nl_policy.c"])
    assert called == [("doit", "vr_nl_port_set"), ("dumpit", "vr_nl_port_list_dump")]
    for _, handler in called:
        assert f"int {handler}(" in files["vr_nl_policy.h"]


def test_every_handler_of_the_real_schema_is_defined() -> None:
    prototypes = re.findall(r"int (\w+)\(", generate(read(REAL))["vr_nl_policy.h"])
    module = "".join(path.read_text() for path in REAL.parents[1].glob("*.c"))
    assert prototypes
    assert [name for name in prototypes if f"\nint {name}(" not in module] == []


def test_the_command_line_writes_the_same_bytes_twice(tmp_path: Path) -> None:
    for out in ("a", "b/c"):
        assert main(["--schema", str(REAL), "--out", str(tmp_path / out)]) == 0
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["vr_nl.h", "vr_nl_policy.c", "vr_nl_policy.h"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b/c" / name).read_bytes()


def test_a_bad_schema_writes_nothing(tmp_path: Path) -> None:
    schema = tmp_path / "bad.yaml"
    schema.write_text(SMALL.replace("type: u8", "type: u9"))
    with pytest.raises(UserError) as caught:
        main(["--schema", str(schema), "--out", str(tmp_path / "out")])
    assert str(caught.value) == (
        f"{schema}:10: unknown type 'u9'; choose one of: u8, u16, u32, u64, string, mac, ipv4, pad"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 3", "version: 0", "2: version is '0'; expected a number from 1 to 255"),
        ("family: demo", "family: Demo", "1: the family's name is 'Demo'; expected lower-case"),
        ("family: demo", "family: a-rather-long-one", "1: the family's name 'a-rather-long-one' is longer"),
        ("version: 3", "version: 3\nverison: 3", "3: the schema has no key 'verison'; it may have: family,"),
        ("version: 3", "version: 3\nversion: 3", "3: the schema has the key 'version' twice"),
        ("version: 3\n", "", "1: the schema lacks the key 'version'"),
        ("max: 4094", "max: 70000", "7: max is '70000'; expected a number from 0 to 65535"),
        ("max: 7", "max: 300", "10: max is '300'; expected a number from 0 to 255"),
        ("max: 7", "max: -1", "10: max is '-1'; expected a number"),
        ("min: 1, max: 4094", "min: 9, max: 8", "7: min 9 is greater than max"),
        (", max: 15", "", "8: the string 'label' needs max"),
        ("max: 15", "max: 15, min: 2", "8: a string has no min"),
        ("type: pad, ", "type: pad, max: 2, ", "6: a pad has no max"),
        ("type: mac, ", "type: mac, min: 2, ", "13: a mac has no min"),
        ("type: pad", "type: u8", "6: the set 'port' has a u64 and no pad"),
        ("type: u8, max: 7", "type: pad", "6: the set 'port' has two pads"),
        ("[inner, outer]", "[inner]", "11: values has 1 names; give an integer as many numbers by min and"),
        ("min: 1, max: 2, ", "", "11: values has 2 names; give an integer as many numbers"),
        ("[inner, outer]", "[inner, inner]", "11: values has a name twice"),
        ("[inner, outer]", "[inner, Outer]", "11: a value's name is 'Outer'; expected lower-case"),
        ("name: level", "name: label", "10: the set 'port' has an attribute 'label' already"),
        ("doc: traffic", "doc: a */ b", "9: doc has '*/'"),
        (
            "doc: change it\n    attribute-set: port",
            "doc: x\n    attribute-set: prot",
            "18: no attribute set 'prot'",
        ),
        ("modes: [do]", "modes: [do, do]", "19: mode 'do' is unknown or there twice; expected each of do, dump"),
        ("modes: [do]", "modes: []", "19: expected modes as a list that isn't empty"),
        ("modes: [do]", "modes: do", "19: expected modes as a list"),
        ("[admin-perm]", "[root]", "20: flag 'root' is unknown or there twice; expected each of admin-perm"),
        ("[net-id, label, level", "[net-id, lable", "21: request names 'lable'; the set 'port' has: net-id,"),
        ("[net-id, label, level", "[label, label", "21: request names 'label' twice"),
        ("[net-id, bytes]", "[pad]", "22: reply names 'pad'; the set 'port' has: net-id,"),
        ("name: port-list", "name: port-set", "22: there is a command 'port-set' already"),
        ("[net-id, bytes]", "[net-id, bytes", "22: not YAML"),
        ("doc: traffic", "doc: tra\x01ffic", "9: not YAML"),
    ],
)
def test_a_mistake_is_reported_with_file_and_line(old: str, new: str, message: str) -> None:
    said = wrong(old, new)
    assert said.startswith(f"demo.yaml:{message}"), said


def test_an_empty_or_absent_schema_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="demo.yaml:1: expected a schema, found nothing"):
        parse("# nothing\n", "demo.yaml")
    with pytest.raises(UserError, match="cannot read the schema: No such file"):
        read(tmp_path / "absent.yaml")
    (tmp_path / "latin1.yaml").write_bytes(b"family: demo\nversion: \xe9\n")
    with pytest.raises(UserError, match=r"latin1.yaml:2: expected text in UTF-8"):
        read(tmp_path / "latin1.yaml")
