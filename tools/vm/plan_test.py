"""Reading of plans."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.lib.errors import UserError
from tools.vm.plan import Plan, read_plan

MACHINE = {"name": "left", "release": "6.1.0-1-amd64", "vmlinux": "/k", "initrd": ["/a", "/b"], "networks": ["lan"]}


def read(tmp_path: Path, content: Any) -> Plan:
    """The plan that this JSON is."""
    path = tmp_path / "plan.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_plan(path)


def test_a_plan_is_read(tmp_path: Path) -> None:
    right = MACHINE | {"name": "right", "networks": ["wan", "lan"], "memory": 512}
    content = {
        "name": "//t:t",
        "script": {"path": "/s/t.py", "display": "t.py", "root": "/s"},
        "machines": [MACHINE, right],
        "facts": {"size": 1},
        "timeout": 30,
    }
    plan = read(tmp_path, content)
    assert plan.networks == ("lan", "wan")
    assert plan.machines[0].initrd == ("/a", "/b")
    assert [machine.memory for machine in plan.machines] == [256, 512]
    assert plan.script and plan.script.display == "t.py"
    assert (plan.facts, plan.timeout) == ({"size": 1}, 30)


def test_a_plan_may_have_no_script(tmp_path: Path) -> None:
    assert read(tmp_path, {"name": "//t:t", "script": None, "machines": [MACHINE]}).script is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a plan of a VM test"),
        ([], "not a plan of a VM test"),
        ({"name": "//t:t"}, "not a plan of a VM test: 'machines'"),
        ({"name": "//t:t", "machines": []}, "it has no machines"),
        ({"name": "//t:t", "machines": [MACHINE | {"x": 1}]}, "unknown key 'x'; known are: cmdline, cpus, "),
    ],
)
def test_what_is_no_plan_is_named(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path, content)


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="plan.json: cannot read the plan: No such file"):
        read_plan(tmp_path / "plan.json")
