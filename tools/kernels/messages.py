"""What a person reads of a failed build: the compiler's words, with files named as the person knows them."""

import posixpath
import re
from collections.abc import Mapping

from tools.kernels.source import SOURCE, Source

_SHOWN_LINES = 60
_ENTERING = re.compile(r"make(?:\[\d+\])?: Entering directory '(.*)'$")
_LEAVING = re.compile(r"make(?:\[\d+\])?: Leaving directory ")
# What stands before a path that isn't absolute, in a message of the compiler.
_RELATIVE = re.compile(r"(?:In file included from |\s+from )?(?=[\w.][\w./+-]*\.[chS]:)")
# make says so of an object that it can't make of anything.
_NO_RULE = re.compile(r"No rule to make target '([^']+)\.o', needed by '")
_ERROR_LINE = re.compile(r"(: (fatal )?error[: ]|^ERROR: |\*\*\* |^scons: \*\*\*|undefined reference)")


def user_paths(log: str, shown: Mapping[str, str]) -> list[str]:
    """The lines of a log with the source's files named as the user knows them.

    `shown` are the source's folders in the root, each with the user's name for it. A file's path
    may be relative to the folder that make last said it is in (kbuild, since line 6.13).
    """
    lines, inside = [], [""]
    for line in log.splitlines():
        if entering := _ENTERING.match(line):
            inside.append(f"{entering[1]}/")
        elif _LEAVING.match(line) and len(inside) > 1:
            inside.pop()
        elif (relative := _RELATIVE.match(line)) and inside[-1].startswith(tuple(f"{folder}/" for folder in shown)):
            line = f"{relative[0]}{inside[-1]}{line[relative.end() :]}"
        for folder, name in shown.items():
            line = line.replace(f"{folder}/", f"{name}/" if name else "")
        lines.append(line)
    return lines


def failure_text(log: str, shown: Mapping[str, str]) -> str:
    """The log of a failed build for a person: the compiler's errors first, then the end of the log."""
    lines = user_paths(log, shown)
    errors = [line for line in lines if _ERROR_LINE.search(line)]
    tail = lines[-_SHOWN_LINES:]
    return "\n".join([*errors[:_SHOWN_LINES], "", f"--- the log's last {len(tail)} lines ---", *tail])


def shown_folders(source: Source, links: Mapping[str, str]) -> dict[str, str]:
    """What the user calls the source's root, and the folders that the build has by another name."""
    shown = {str(SOURCE): source.display}
    for link, folder in links.items():
        shown[link] = "/".join(part for part in (source.display, folder[len(str(SOURCE)) + 1 :]) if part)
    return shown


def missing_c_file(log: str, source: Source, shown: Mapping[str, str], release: str) -> str:
    """What to say when a Makefile names an object whose C file the source lacks; "" if that isn't what happened."""
    found = _NO_RULE.search(log)
    if not found:
        return ""
    entered = [line[1] for line in map(_ENTERING.match, log[: found.start()].splitlines()) if line]
    inside = [folder for folder in entered if f"{folder}/".startswith(tuple(f"{each}/" for each in shown))]
    path = f"{posixpath.join(inside[-1] if inside else str(SOURCE), found[1])}.c"
    (path,) = user_paths(path, shown)
    return (
        f"{path}: no such file in {source.label}, though a Makefile names its object for kernel {release}; "
        "add the file to the source's `srcs`, or take the object out of the Makefile"
    )
