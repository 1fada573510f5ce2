"""What `bazelw` starts: checks the interpreter and hands over to tools.launcher.launch.

This file alone must be readable to a Python older than 3.9, so that its owner gets a
sentence instead of a syntax error. The interpreter runs isolated (-I: the caller's
PYTHONPATH and folder are not its concern), so the checkout is put on the path here.
"""

import os
import sys

OLDEST = (3, 9)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9", "python3")


def _newer_python() -> "str | None":
    """The first interpreter on PATH whose name or answer says 3.9 or later, or None."""
    for name in NEWER:
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, name)
            check = "import sys; sys.exit(sys.version_info < (3, 9))"
            if os.access(path, os.X_OK) and os.spawnv(os.P_WAIT, path, [path, "-ISc", check]) == 0:
                return path
    return None


def _main() -> int:
    if sys.version_info < OLDEST:
        python = _newer_python()
        if python:
            os.execv(python, [python, "-ISB", *sys.argv])
        sys.stderr.write(
            f"error: {sys.executable} is Python {sys.version_info[0]}.{sys.version_info[1]} "
            "and bazelw needs 3.9 or later; have one on PATH as python3.9, python3.11 or the like\n"
        )
        return 1
    checkout = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    sys.path.insert(0, checkout)
    from tools.launcher.launch import launch

    return launch(checkout, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(_main())
