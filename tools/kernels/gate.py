"""The gate: a module that this kernel would refuse to load doesn't leave the build.

The rules are those of the kernel's loader (kernel/module/main.c and version.c) and of modpost, on
the safe side: the release in the vermagic must be equal too, and no symbol may lack its CRC.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.kernels.module_file import ModuleFile, read_module
from tools.kernels.symvers import Export, parse_symvers
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

SCHEMA = 1
LONGEST_TABLE = 40

# What to do about each kind of problem.
ADVICE = {
    "vermagic": "build the module with exactly this kernel's headers; "
    "one made for another release can't be used.",
    "missing": "a symbol that nobody exports: name the module that has it as a dependency, "
    "or call something that this kernel exports.",
    "crc": "the module was built against other headers: rebuild it clean with this kernel's headers "
    "and its dependencies' Module.symvers.",
    "licence": "give the module a GPL-compatible MODULE_LICENSE if that is its licence, "
    "or do without the symbol.",
    "namespace": 'add MODULE_IMPORT_NS for the namespace to the module\'s source; a "module:" namespace '
    "is for the modules that it lists only.",
    "duplicate": "rename the symbol or don't export it: the kernel itself exports one of this name.",
}


@dataclass(frozen=True, order=True)
class Problem:
    """One reason why the kernel would refuse the module. `kind` is a key of ADVICE; no CRC is None."""

    symbol: str
    kind: str
    text: str
    wanted: int | None = None
    found: int | None = None
    exporter: str = ""


def check(
    modules: Sequence[ModuleFile],
    facts: Mapping[str, Any],
    kernel: Mapping[str, Export],
    extra: Mapping[str, Export],
) -> dict[str, list[Problem]]:
    """The problems of each module, by its name; modules without any are left out.

    `modules` may use each other's exports; `extra` are those of declared dependencies. They come before
    the kernel's own, because a module may stand in for one of the kernel's.
    """
    exports = {**kernel, **extra}
    for module in modules:
        exports |= module.exports
    tainted_names = _tainted(modules)
    found = {}
    for module in modules:
        problems = _vermagic_problems(module, facts["vermagic"]) + [
            Problem(name, "duplicate", "exported by the module, too", exporter="vmlinux")
            for name in module.exports
            if name in kernel and kernel[name].exporter == "vmlinux"
        ]
        for name, weak in module.wanted.items():
            if name in exports:
                problems += _import_problems(
                    module, exports[name], facts["config"], tainted=module.name in tainted_names
                )
            elif not weak:
                problems.append(
                    Problem(
                        name,
                        "missing",
                        "not exported",
                        found=(module.versions or {}).get(name),
                        exporter="nobody",
                    )
                )
        if facts["config"]["MODVERSIONS"] == "y":
            problems += _crc_problems(module, exports)
        if problems:
            found[module.name] = sorted(
                problems, key=lambda each: (each.kind != "vermagic", each.symbol, each.kind)
            )
    return found


def _tainted(modules: Sequence[ModuleFile]) -> set[str]:
    """The modules without GPL-only symbols: not GPL-compatible, or using symbols of one that isn't."""
    tainted = {module.name for module in modules if not module.gpl_compatible}
    while more := {
        module.name
        for module in modules
        if module.name not in tainted
        and any(other.name in tainted and other.exports.keys() & module.wanted.keys() for other in modules)
    }:
        tainted |= more
    return tainted


def _vermagic_problems(module: ModuleFile, wanted: str) -> list[Problem]:
    found = module.info("vermagic")
    if found == [wanted]:
        return []
    return [
        Problem(
            "(vermagic)", "vermagic", f"kernel: {wanted!r}, module: {', '.join(map(repr, found)) or 'none'}"
        )
    ]


def _import_problems(
    module: ModuleFile, export: Export, config: Mapping[str, str], tainted: bool
) -> list[Problem]:
    problems = []
    if export.gpl_only and tainted:
        licence = ", ".join(module.info("license")) or "none"
        cause = "uses a proprietary module" if module.gpl_compatible else f"has licence {licence}"
        problems.append(
            Problem(export.symbol, "licence", f"GPL-only, but the module {cause}", exporter=export.exporter)
        )
    allowed = config.get("MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS") == "y"
    if export.namespace and not _may_import(module, export.namespace, allowed):
        text = f"namespace {export.namespace} isn't imported"
        problems.append(Problem(export.symbol, "namespace", text, exporter=export.exporter))
    return problems


def _may_import(module: ModuleFile, namespace: str, allowed: bool) -> bool:
    """Line 6.16 and later have "module:a,b*" for named modules; other namespaces are imported by name."""
    if not namespace.startswith("module:"):
        return allowed or namespace in module.info("import_ns")
    own = module.name.replace("-", "_")
    names = namespace.removeprefix("module:").replace("-", "_").split(",")
    return any(own.startswith(name[:-1]) if name.endswith("*") else own == name for name in names)


def _crc_problems(module: ModuleFile, exports: Mapping[str, Export]) -> list[Problem]:
    if module.versions is None:
        return [
            Problem("(all symbols)", "crc", "no CRCs in the module; it was built without CONFIG_MODVERSIONS")
        ]
    problems = []
    # Each module is checked for module_layout too: it stands for the layout of struct module.
    for name in sorted({*module.wanted, "module_layout"} & exports.keys()):
        export, found = exports[name], module.versions.get(name)
        if found == export.crc:
            continue
        if found is None and module.wanted.get(name):
            continue
        text = "no CRC in the module" if found is None else "CRC differs"
        problems.append(Problem(name, "crc", text, export.crc, found, export.exporter))
    return problems


def render(target: str, problems: Mapping[str, Sequence[Problem]], release: str) -> str:
    """The failure as a person reads it: a headline and a table to a module, then what to do."""
    lines = []
    for module, rows in problems.items():
        count = f"{len(rows)} problem{'s' if len(rows) != 1 else ''}"
        lines.append(f"{target}: {module}.ko: {count}; kernel {release} would not load it")
        table = [("symbol", "wanted CRC", "found CRC", "exported by", "problem")]
        table += [
            (row.symbol, _hex(row.wanted), _hex(row.found), row.exporter or "-", row.text)
            for row in rows[:LONGEST_TABLE]
        ]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines += ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
        if len(rows) > LONGEST_TABLE:
            lines.append(f"  ... and {len(rows) - LONGEST_TABLE} more")
    kinds = {row.kind for rows in problems.values() for row in rows}
    lines.append("What to do:")
    return "\n".join(lines + [f"  {kind}: {text}" for kind, text in ADVICE.items() if kind in kinds])


def _hex(crc: int | None) -> str:
    return "-" if crc is None else f"0x{crc:08x}"


def modinfo(modules: Iterable[ModuleFile], release: str) -> dict[str, Any]:
    """The content of modinfo.json: modules by name; `modinfo` has every field's values, sorted.

    `size` is in bytes; `imports` and `exports` count symbols.
    """
    return {
        "schema": SCHEMA,
        "release": release,
        "modules": [
            {
                "name": module.name,
                "sha256": module.sha256,
                "size": len(module.content),
                "srcversion": "".join(module.info("srcversion")),
                "vermagic": "".join(module.info("vermagic")),
                "depends": sorted(
                    name for text in module.info("depends") for name in text.split(",") if name
                ),
                "imports": len(module.wanted),
                "exports": len(module.exports),
                "modinfo": {key: sorted(module.info(key)) for key in sorted(dict(module.modinfo))},
            }
            for module in sorted(modules, key=lambda each: each.name)
        ],
    }


def _pair(text: str) -> tuple[Path, Path]:
    source, equals, target = text.partition("=")
    if not (source and equals and target):
        raise argparse.ArgumentTypeError(f"expected IN=OUT, got {text!r}")
    return Path(source), Path(target)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read: {error.strerror}") from error


def main(arguments: Sequence[str]) -> int:
    """Check the modules; copy them and write modinfo.json only when all of them pass."""
    parser = argparse.ArgumentParser(prog="gate", description=__doc__.partition("\n")[0])
    parser.add_argument("--kernel", type=Path, required=True, help="the kernel's kernel.json")
    parser.add_argument("--symvers", type=Path, required=True, help="the kernel's Module.symvers")
    parser.add_argument(
        "--extra-symvers",
        type=Path,
        action="append",
        default=[],
        help="Module.symvers of a dependency (repeatable)",
    )
    parser.add_argument(
        "--module",
        type=_pair,
        action="append",
        required=True,
        metavar="IN=OUT",
        help="module and its copy (repeatable)",
    )
    parser.add_argument(
        "--debug",
        type=_pair,
        action="append",
        default=[],
        metavar="IN=OUT",
        help="debug data to copy along (repeatable)",
    )
    parser.add_argument("--target", required=True, help="the Bazel target, for messages")
    parser.add_argument("--modinfo", type=Path, required=True, help="modinfo.json to write")
    options = parser.parse_args(arguments)
    try:
        facts = json.loads(_read(options.kernel))
        release = facts["release"]
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{options.kernel}: expected a kernel.json as tools.kernels.facts writes it"
        ) from error
    modules = [read_module(source) for source, _ in options.module]
    debug = [(copy, _read(source)) for source, copy in options.debug]
    kernel = parse_symvers(_read(options.symvers).decode(), str(options.symvers))
    extra: dict[str, Export] = {}
    for path in options.extra_symvers:
        extra |= parse_symvers(_read(path).decode(), str(path))
    if problems := check(modules, facts, kernel, extra):
        raise UserError(render(options.target, problems, release))
    copies = [(copy, module.content) for module, (_, copy) in zip(modules, options.module, strict=True)]
    for copy, content in copies + debug:
        write_atomically(copy, content)
    write_atomically(options.modinfo, json.dumps(modinfo(modules, release), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    run(main)
