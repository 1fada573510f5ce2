"""compile_commands.json for editors, from the .cmd files that kbuild leaves next to each object.

The first line of `.NAME.o.cmd` is `cmd_OBJECT := COMMAND` (`savedcmd_` from line 6.3 on), a make
assignment in which `#` is written `$(pound)` or `\\#` and `$` is `$$` (scripts/Kbuild.include,
make-cmd). Until line 6.12 the compiler runs in the kernel's build folder and the module's paths
are absolute; later it runs in the module's folder and they are relative.
"""

from __future__ import annotations

import argparse
import json
import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

_LINE = re.compile(r"(?:saved)?cmd_(\S+) := (.*)")
_ESCAPED = re.compile(r"\$\$|\$\(pound\)|\\#")


def compiler_command(text: str) -> tuple[str, list[str]] | None:
    """Object and arguments of the compile that a .cmd file's text records, None if it isn't one.

    What is chained after it (objtool, recordmcount) is left out.
    """
    found = _LINE.match(text)
    if not found:
        return None
    command = _ESCAPED.sub(lambda escape: "$" if escape[0] == "$$" else "#", found[2])
    lexer = shlex.shlex(command, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    arguments: list[str] = []
    for word in lexer:
        if word and set(word) <= set(";&|"):
            if "-c" in arguments:
                break
            arguments = []
        else:
            arguments.append(word)
    return (found[1], arguments) if "-c" in arguments else None


def entry(text: str, directory: str, maps: Mapping[str, str], beside: str = "") -> dict[str, Any] | None:
    """The entry for a .cmd file's text, None unless it compiles a C file of the module's own.

    `directory` is the kernel's build folder, where the compiler ran if the object's path is absolute;
    if it is relative, that is the folder of the .cmd file (`beside`) less what the object's path has.
    `maps` turns paths in the root into those that the user knows; its first one is the module's folder.
    """
    found = compiler_command(text)
    if not found:
        return None
    target, arguments = found
    module = next(iter(maps))
    inside = posixpath.dirname(target)
    folder = directory if posixpath.isabs(target) else beside.removesuffix(f"/{inside}") or module
    source = posixpath.normpath(posixpath.join(folder, arguments[-1]))
    if not source.startswith(f"{module}/") or not source.endswith(".c") or source.endswith(".mod.c"):
        return None
    return {
        "directory": _mapped(folder, maps),
        "file": _mapped(source, maps),
        "arguments": [_mapped(argument, maps) for argument in arguments],
    }


def _mapped(argument: str, maps: Mapping[str, str]) -> str:
    """The argument with each path that starts in a mapped folder replaced; longer folders go first."""
    folders = "|".join(re.escape(folder) for folder in sorted(maps, key=len, reverse=True))
    # A path starts the argument, follows -I, or follows one of = , : and quotes inside it.
    pattern = rf"""(^|^-I|[=,:"'])({folders})(?=$|[/=,:"'])"""
    return re.sub(pattern, lambda path: path[1] + maps[path[2]], argument)


def compile_commands(
    tree: Path, directory: str, maps: Mapping[str, str], links: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """The entries of all .cmd files below `tree`, sorted by file.

    `links` are folders to which the build gave another name: that name to the folder in the root.
    """
    found = []
    module = next(iter(maps))
    for path in tree.rglob(".*.o.cmd"):
        with path.open(encoding="utf-8", errors="replace") as stream:
            try:
                text = stream.readline().rstrip("\n")
                for link, folder in (links or {}).items():
                    text = text.replace(link, folder)
                beside = posixpath.normpath(posixpath.join(module, path.parent.relative_to(tree)))
                found.append(entry(text, directory, maps, beside))
            except ValueError as error:
                raise UserError(
                    f"{path}:1: not a command as kbuild writes it ({error}); build the module anew"
                ) from error
    return sorted((each for each in found if each), key=lambda each: (each["file"], each["arguments"]))


def _pair(text: str) -> tuple[str, str]:
    source, equals, target = text.partition("=")
    if not (source.startswith("/") and equals and target):
        raise argparse.ArgumentTypeError(f"expected /FROM=TO, got {text!r}")
    return source.rstrip("/"), target.rstrip("/")


def main(arguments: Sequence[str]) -> int:
    """Write compile_commands.json for a built module tree."""
    parser = argparse.ArgumentParser(prog="compile_commands", description=__doc__.partition("\n")[0])
    parser.add_argument("--tree", type=Path, required=True, help="the built module tree")
    parser.add_argument("--directory", required=True, help="the kernel's build folder in the root")
    parser.add_argument(
        "--map",
        type=_pair,
        action="append",
        required=True,
        metavar="FROM=TO",
        help="folder in the root and as the user knows it; the first is the module's (repeatable)",
    )
    parser.add_argument("--out", type=Path, required=True, help="compile_commands.json to write")
    options = parser.parse_args(arguments)
    if not options.tree.is_dir():
        raise UserError(f"{options.tree}: expected the folder of a built module")
    entries = compile_commands(options.tree, options.directory, dict(options.map))
    write_atomically(options.out, json.dumps(entries, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    run(main)
