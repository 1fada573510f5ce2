"""Finding a Bazel of the wanted version on the machine.

Asking one for its version takes 0.05 s (a bazelisk may even download first), so an
answer is kept by path, time of change, size and wanted version. A "no" is kept for a
day only: behind a bazelisk it may have been the network's fault.
"""

from __future__ import annotations

import os
import time

from tools.lib.errors import UserError

PROBING = "BAZELW_PROBING"
NAMES = ("bazel", "bazelisk")
NO_LASTS = 86400.0
TIME_LIMIT = 120.0


def parse_version(answer: str) -> str:
    """The released version in the answer to `--version` ("bazel 7.7.1", "bazel 7.7.1-homebrew"), or ""."""
    import re  # not needed on the fast path

    match = re.search(r"^bazel (\d+\.\d+\.\d+)(?:-(?!pre)\S*)?(?:\s|$)", answer, re.MULTILINE)
    return match.group(1) if match else ""


def find_bazel(checkout: str, wanted: str, cache: str) -> str | None:
    """$BAZEL, or the first matching `bazel`, else `bazelisk`, on PATH; None when there is none.

    Raises UserError when $BAZEL is set and is not of the wanted version.
    """
    chosen = os.environ.get("BAZEL", "")
    if chosen:
        return _the_chosen(chosen, checkout, wanted, cache)
    for name in NAMES:
        for path in candidates(name, os.environ.get("PATH", ""), checkout):
            if probe(path, checkout, wanted, cache) == wanted:
                return path
    return None


def candidates(name: str, search_path: str, checkout: str) -> list[str]:
    """The executables of this name on a PATH, except what lies in the checkout (bazelw itself)."""
    found = []
    for folder in search_path.split(os.pathsep):
        path = os.path.join(folder, name)
        usable = os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK)
        if usable and not os.path.realpath(path).startswith(checkout + os.sep):
            found.append(path)
    return found


def _the_chosen(chosen: str, checkout: str, wanted: str, cache: str) -> str:
    mend = f"set BAZEL to a Bazel {wanted}, or unset it and bazelw finds one"
    path = chosen
    if os.sep not in chosen:
        path = next(iter(candidates(chosen, os.environ.get("PATH", ""), checkout)), chosen)
    path = os.path.abspath(path)
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise UserError(f"BAZEL={chosen}: no executable file there; {mend}")
    if os.path.realpath(path).startswith(checkout + os.sep):
        raise UserError(f"BAZEL={chosen}: that is this checkout's own launcher; {mend}")
    version = probe(path, checkout, wanted, cache)
    if version != wanted:
        found = f"is Bazel {version}" if version else "does not answer --version like a released Bazel"
        raise UserError(f"BAZEL={chosen}: {found}, but .bazelversion says {wanted}; {mend}")
    return path


def probe(path: str, checkout: str, wanted: str, cache: str) -> str:
    """The version that this executable says it is, "" when it says none; kept in `cache`."""
    status = os.stat(path)
    pinned = os.environ.get("USE_BAZEL_VERSION", "")
    key = f"{path}\t{status.st_mtime_ns}\t{status.st_size}\t{wanted}\t{pinned}"
    store = os.path.join(cache, "versions")
    answers = _read(store)
    if key in answers:
        version, when = answers[key]
        if version == wanted or 0 <= time.time() - when < NO_LASTS:
            return version
    version = _ask(path, checkout)
    answers = {kept: value for kept, value in _read(store).items() if kept.split("\t")[0] != path}
    answers[key] = (version, time.time())
    _write(store, answers)
    return version


def _ask(path: str, checkout: str) -> str:
    import subprocess

    try:
        done = subprocess.run(
            [path, "--version"],
            cwd=checkout,  # a bazelisk looks for .bazelversion there
            env={**os.environ, PROBING: "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIME_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return parse_version(done.stdout.decode(errors="replace")) if done.returncode == 0 else ""


def _read(store: str) -> dict[str, tuple[str, float]]:
    """What the store holds: lines of path, mtime, size, wanted, USE_BAZEL_VERSION, version, when."""
    answers = {}
    try:
        with open(store, encoding="utf-8", errors="surrogateescape") as stream:
            for line in stream:
                fields = line.rstrip("\n").split("\t")
                if len(fields) == 7 and fields[6].replace(".", "", 1).isdigit():
                    answers["\t".join(fields[:5])] = (fields[5], float(fields[6]))
    except OSError:
        return {}
    return answers


def _write(store: str, answers: dict[str, tuple[str, float]]) -> None:
    """Keep the answers; a cache that can't be written only costs the next start some time."""
    temporary = f"{store}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(store), exist_ok=True)
        with open(temporary, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.writelines(f"{key}\t{version}\t{when:.3f}\n" for key, (version, when) in answers.items())
        os.replace(temporary, store)
    except OSError:
        return
