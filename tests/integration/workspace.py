"""A copy of this checkout in the test's own folder, with a real Bazel of its own.

The copy has its own output base and repository cache, so a test may break locks, mirrors
and sources as it likes. Packages that the outer Bazel has fetched are taken from its
repository cache. A sandboxed test has no network but loopback: what isn't there, and what
no `Mirror` of the test serves, can't be had. The nested server ends with the test.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SKIPPED = shutil.ignore_patterns(
    ".git", "bazel-*", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "user.bazelrc"
)
_REPOSITORY_CACHE = "cache/repos/v1"
_ENTRIES = "content_addressable/sha256"


@dataclass(frozen=True)
class Result:
    """How a Bazel command ended: its exit code, what the program printed, what Bazel said."""

    code: int
    out: str
    err: str


def runfile(name: str) -> Path:
    """The real place of a file among the test's runfiles."""
    return Path(name).resolve(strict=True)


def checkout() -> Path:
    """The real checkout: where the link to one of its files leads."""
    return runfile("roots/tools.lock.json").parents[1]


def find_bazel() -> str:
    """The Bazel to run: $BAZEL, or the one on PATH; inside the launcher's root that is the locked one."""
    bazel = os.environ.get("BAZEL") or shutil.which("bazel") or shutil.which("bazelisk")
    if not bazel:
        raise RuntimeError("no bazel on PATH; run through ./bazelw, or give --test_env=BAZEL=/path/to/bazel")
    return bazel


def outer_cache() -> Path:
    """The repository cache of the Bazel that runs this test: $FORGE_REPOSITORY_CACHE, or its default place.

    The place is known from the runfiles: they lead into OUTPUT_USER_ROOT/OUTPUT_BASE/external.
    """
    if given := os.environ.get("FORGE_REPOSITORY_CACHE"):
        return Path(given)
    inside = runfile("../tool_runtime/bin/python3")
    external = next(parent for parent in inside.parents if parent.name == "external")
    return external.parent.parent / _REPOSITORY_CACHE


def cached_file(sha256: str) -> Path:
    """A downloaded file of the outer repository cache."""
    return outer_cache() / _ENTRIES / sha256 / "file"


class OwnBazel:
    """The Bazel of the workspace at `root`, with its files in `output`; `wrapper` are words to put before each call."""

    def __init__(self, root: Path, output: Path, wrapper: Sequence[str] = ()) -> None:
        self.root = root
        self._output = output
        self._wrapper = list(wrapper)

    def command(self, command: str, *words: str) -> list[str]:
        """The words that run it (with `environment()`); `words` are options, targets, program's own."""
        startup = [f"--output_user_root={self._output}", "--nohome_rc", "--max_idle_secs=60"]
        return [*self._wrapper, find_bazel(), *startup, command, "--color=no", "--curses=no", *words]

    def bazel(self, command: str, *words: str, extra: Mapping[str, str] | None = None) -> Result:
        """Run it to its end; `extra` is set in its environment."""
        done = subprocess.run(
            self.command(command, *words),
            cwd=self.root,
            env=environment() | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)


class Workspace(OwnBazel):
    """A copy of the checkout at `folder`/`name`, and the Bazel that builds it."""

    def __init__(self, folder: Path, name: str = "checkout", wrapper: Sequence[str] = ()) -> None:
        """Make the copy; `wrapper` are words to put before each call of Bazel."""
        root = folder / name
        super().__init__(root, folder / f"{root.name}.out", wrapper)
        self.cache = folder / f"{root.name}.repositories"
        shutil.copytree(checkout(), self.root, symlinks=True, ignore=_SKIPPED)
        entries = self.cache / _ENTRIES
        entries.mkdir(parents=True)
        for entry in (outer_cache() / _ENTRIES).iterdir():
            if (entry / "file").exists():
                (entries / entry.name).mkdir()
                (entries / entry.name / "file").symlink_to(entry / "file")

    def forget(self, sha256s: Iterable[str]) -> None:
        """Take files out of the repository cache, so that Bazel must download them."""
        for sha256 in sha256s:
            shutil.rmtree(self.cache / _ENTRIES / sha256, ignore_errors=True)

    def command(self, command: str, *words: str) -> list[str]:
        """The words that run Bazel in the copy."""
        options = [f"--repository_cache={self.cache}"]
        if command in ("build", "run"):
            options += ["--jobs=2", "--show_result=0"]
        return super().command(command, *options, *words)

    def output(self, name: str) -> Path:
        """A built file, by its path below bazel-bin."""
        return self.root / "bazel-bin" / name

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the copy."""
        content: dict[str, Any] = json.loads((self.root / name).read_text())
        return content

    def write(self, name: str, content: str) -> None:
        """Write a file of the copy."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def environment() -> dict[str, str]:
    """The test's environment without what Bazel set for the test itself."""
    foreign = ("TEST_", "RUNFILES", "PYTHON", "JAVA_RUNFILES", "BAZEL_TEST", "GTEST_", "XML_OUTPUT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # A Bazel server refuses to start without a home for its caches' owner.
    return {"HOME": os.environ.get("TEST_TMPDIR", "/tmp"), "USER": "tester"} | kept
