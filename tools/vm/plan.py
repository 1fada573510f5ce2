"""What a VM test boots and runs: the JSON that tests/private/vm_program.bzl writes.

    {"name": "//tests/kernels:6.1.0-56-amd64",
     "script": {"path": PATH, "display": "tests/kernels/kernel.py", "root": FOLDER} or null,
     "machines": [{"name": "vm", "release", "line", "flavour", "vmlinux": PATH, "initrd": [PATH],
                   "modules": ["vrouter.ko"], "memory": MiB, "cpus": 1, "cmdline": "", "networks": ["lan"]}],
     "facts": {NAME: anything}, "timeout": seconds or null}

Paths are those inside the root that the driver runs in. The script may import from `root`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tools.lib.errors import UserError


@dataclass(frozen=True)
class MachinePlan:
    """A machine: its kernel, what is in it, and what it is connected to.

    initrd: archives that make its first file system, in this order.
    modules: names of the files in the guest's /modules.
    memory: MiB. networks: names; its Ethernet devices are eth0 and so on in this order.
    """

    name: str
    release: str
    vmlinux: str
    initrd: tuple[str, ...]
    line: str = ""
    flavour: str = ""
    modules: tuple[str, ...] = ()
    memory: int = 256
    cpus: int = 1
    cmdline: str = ""
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    """A test's script: where it lies, how messages call it, and from where it may import."""

    path: Path
    display: str
    root: str = ""


@dataclass(frozen=True)
class Plan:
    """A whole test. `facts` go to result.json as they are; `timeout` is in seconds."""

    name: str
    machines: tuple[MachinePlan, ...]
    script: Script | None = None
    facts: Mapping[str, Any] | None = None
    timeout: float | None = None

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of all networks, each once."""
        return tuple(dict.fromkeys(name for machine in self.machines for name in machine.networks))


def read_plan(path: Path) -> Plan:
    """Read a plan. Raises UserError if it isn't one."""
    try:
        return _plan(json.loads(path.read_text()))
    except OSError as error:
        raise UserError(f"{path}: cannot read the plan: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path}: not a plan of a VM test: {error}; expected what the rule vm_test writes") from error


def _plan(content: dict[str, Any]) -> Plan:
    script = content.get("script")
    plan = Plan(
        name=content["name"],
        machines=tuple(map(_machine, content["machines"])),
        script=Script(Path(script["path"]), script["display"], script.get("root", "")) if script else None,
        facts=content.get("facts") or {},
        timeout=content.get("timeout"),
    )
    if not plan.machines:
        raise ValueError("it has no machines")
    return plan


def _machine(content: dict[str, Any]) -> MachinePlan:
    known = {field.name for field in fields(MachinePlan)}
    if unknown := sorted(content.keys() - known):
        raise ValueError(f"a machine has the unknown key '{unknown[0]}'; known are: {', '.join(sorted(known))}")
    lists: dict[str, Any] = {name: tuple(value) for name, value in content.items() if isinstance(value, list)}
    return MachinePlan(**(content | lists))
