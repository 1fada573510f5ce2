"""The string a kernel compares with a module's `vermagic`, from the kernel's own headers.

include/linux/vermagic.h puts the string together from the configuration, and its rule changes
between lines: what "preempt" stands for, and in which order PREEMPT_RT is asked for. So the
header itself is read here by the small part of a C preprocessor that it needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tools.lib.errors import UserError

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(r"\s*#\s*(\w+)\s*(.*?)\s*$")
_CONDITION = re.compile(r"(!?)\s*defined\s*\(?\s*(\w+)\s*\)?$")
_TOKEN = re.compile(r'\s*(?:"([^"]*)"|(\w+))')


def vermagic(config: Mapping[str, str], headers: Iterable[tuple[str, str]]) -> str:
    """The kernel's VERMAGIC_STRING, its final space included (the kernel compares all of it).

    `config` maps an option's name without CONFIG_ to its value ("y", "m" or a text);
    `headers` are (path, text) in the order in which vermagic.h includes them, itself last.
    Raises UserError when a header holds something this preprocessor doesn't know.
    """
    macros = {"INCLUDE_VERMAGIC": ""}
    for name, value in config.items():
        macros[f"CONFIG_{name}_MODULE" if value == "m" else f"CONFIG_{name}"] = ""
    # Kbuild gives these two on the compiler's command line (scripts/Makefile.randstruct).
    for option, macro in (("RANDSTRUCT", "RANDSTRUCT"), ("GCC_PLUGIN_RANDSTRUCT", "RANDSTRUCT_PLUGIN")):
        if f"CONFIG_{option}" in macros:
            macros[macro] = ""
    for path, text in headers:
        _define(path, text, macros)
    return _expand("VERMAGIC_STRING", macros)


def _define(path: str, text: str, macros: dict[str, str]) -> None:
    """Add the macros that the header defines under the conditions that hold."""
    # One pair to an open #if: whether its current branch counts, and whether one has counted already.
    open_ifs: list[tuple[bool, bool]] = []
    for line in _COMMENT.sub(" ", text).replace("\\\n", " ").split("\n"):
        found = _DIRECTIVE.match(line)
        if not found:
            continue
        directive, rest = found.groups()
        active = all(counts for counts, _ in open_ifs)
        if directive in ("ifdef", "ifndef"):
            holds = (rest in macros) == (directive == "ifdef")
            open_ifs.append((holds, holds))
        elif directive == "if":
            holds = active and _holds(path, rest, macros)
            open_ifs.append((holds, holds))
        elif directive == "elif":
            taken = open_ifs.pop()[1]
            holds = not taken and all(counts for counts, _ in open_ifs) and _holds(path, rest, macros)
            open_ifs.append((holds, taken or holds))
        elif directive == "else":
            taken = open_ifs.pop()[1]
            open_ifs.append((not taken, True))
        elif directive == "endif":
            open_ifs.pop()
        elif active and directive == "define":
            name, _, body = rest.partition(" ")
            name, _, more = name.partition("\t")
            macros[name] = f"{more} {body}".strip()
        elif active and directive == "error":
            raise UserError(f"{path}: the header refuses this configuration: {rest}")


def _holds(path: str, condition: str, macros: Mapping[str, str]) -> bool:
    found = _CONDITION.match(condition)
    if not found:
        raise UserError(
            f"{path}: cannot tell this kernel's vermagic: condition {condition!r} isn't known; "
            "extend tools/kernels/vermagic.py"
        )
    return (found[2] in macros) != bool(found[1])


def _expand(name: str, macros: Mapping[str, str]) -> str:
    if name not in macros:
        raise UserError(
            f"vermagic.h: {name} isn't defined by this kernel's headers; is the header package complete?"
        )
    return "".join(
        _expand(token[2], macros) if token[2] else token[1] for token in _TOKEN.finditer(macros[name])
    )
