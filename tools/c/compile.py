"""Compile a C program; runs inside a root that has `cc`, with the sources below /build.

The program is static, so that it runs in any root or image. With --sanitize it isn't: the
sanitizers need the root's own libraries, and it runs in that root only.
"""

import argparse
import re
import subprocess
from collections.abc import Sequence

from tools.lib.cli import run
from tools.lib.errors import UserError

# Nothing in a program may depend on when it was compiled: -Wdate-time refuses __DATE__ and its like.
_ALWAYS = ["-std=gnu11", "-Wall", "-Wextra", "-Wshadow", "-Wdate-time", "-Werror"]
_STATIC = ["-O2", "-static", "-s", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong"]
_SANITIZED = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
_ERROR_LINE = re.compile(r": (fatal )?error: |undefined reference|cannot find -l")


def command(
    sources: Sequence[str], includes: Sequence[str], libraries: Sequence[str], output: str, sanitize: bool
) -> list[str]:
    """The compiler's command line."""
    return [
        "cc",
        *_ALWAYS,
        *(_SANITIZED if sanitize else _STATIC),
        *(f"-I{folder}" for folder in includes),
        *sources,
        *(f"-l{library}" for library in libraries),
        "-o",
        output,
    ]


def failure_text(target: str, said: str) -> str:
    """What a person is told: the first error, with its file and line, and then all that the compiler said."""
    first = next((line for line in said.splitlines() if _ERROR_LINE.search(line)), "the compiler failed")
    return f"{target} doesn't compile: {first}\n{said.rstrip()}"


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="compile", description=__doc__)
    parser.add_argument("--target", required=True, help="the target's label, for messages")
    parser.add_argument("--source", action="append", default=[], help="a .c file")
    parser.add_argument("--include", action="append", default=[], help="a folder of headers")
    parser.add_argument("--library", action="append", default=[], help="a library, without `lib`")
    parser.add_argument("--sanitize", action="store_true")
    parser.add_argument("--output", required=True)
    options = parser.parse_args(arguments)
    words = command(options.source, options.include, options.library, options.output, options.sanitize)
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise UserError(failure_text(options.target, done.stdout))
    return 0


if __name__ == "__main__":
    run(main)
