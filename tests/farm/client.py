"""A small workspace with the checkout's .bazelrc, and a Bazel of its own that uses a farm."""

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.farm.farm import Farm
from tests.integration.workspace import OwnBazel, Result, checkout, environment

HELPER = checkout() / "farm/credential_helper"


class Client(OwnBazel):
    """Builds genrules: `rules` are names and shell commands; each writes NAME.txt."""

    def __init__(self, folder: Path, rules: Mapping[str, str], wrapper: Sequence[str] = ()) -> None:
        super().__init__(folder / "client", folder / "client.out", wrapper)
        self.root.mkdir(parents=True)
        shutil.copy(checkout() / ".bazelversion", self.root)
        # Without the settings of targets that aren't here.
        lines = (checkout() / ".bazelrc").read_text().splitlines(keepends=True)
        (self.root / ".bazelrc").write_text("".join(line for line in lines if "--//" not in line))
        (self.root / "WORKSPACE").touch()
        (self.root / "bazelw").symlink_to(checkout() / "bazelw")
        for rule, command in rules.items():
            self.rule(rule, command)

    def rule(self, name: str, command: str, *sources: str) -> None:
        """Add a genrule; its sources are labels."""
        with (self.root / "BUILD").open("a") as stream:
            stream.write(f'genrule(name = "{name}", srcs = {[*sources]}, outs = ["{name}.txt"], cmd = {command!r})\n')

    def settings(self, *lines: str) -> None:
        """Write user.bazelrc."""
        (self.root / "user.bazelrc").write_text("".join(f"{line}\n" for line in lines))

    def start(self, command: str, *words: str, extra: Mapping[str, str] | None = None) -> "Run":
        """Start Bazel, and don't wait for its end."""
        return Run(self.command(command, *words), self.root, environment() | dict(extra or {}))

    def fresh_build(self, target: str, *words: str, extra: Mapping[str, str] | None = None) -> Result:
        """Build a target with nothing of an earlier build."""
        assert self.bazel("clean").code == 0
        return self.bazel("build", target, *words, extra=extra)

    def output(self, name: str) -> str:
        """What a genrule wrote."""
        return (self.root / f"bazel-bin/{name}.txt").read_text()


class Run:
    """A Bazel that runs."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._said = folder.with_name(f"{folder.name}.said")
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    @property
    def said(self) -> str:
        """What Bazel has said so far."""
        return self._said.read_text(errors="replace")

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for a condition while Bazel runs; the test fails when it ends before."""
        wait_until(what, lambda: self._process.poll() is not None or condition())
        assert self._process.poll() is None, f"Bazel ended before {what}:\n{self.said}"

    def wait(self, seconds: float = 400) -> Result:
        """Wait for its end."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"Bazel hasn't ended after {seconds:.0f} s:\n{self.said}") from None
        return Result(self._process.returncode, "", self.said)


class Gate:
    """Where an action waits until the test lets it go on; it says when it is there.

    Not only what an action declares reaches it: a worker's actions may write to the worker's folder for scratch
    files, and this machine's where --sandbox_writable_path says.
    """

    def __init__(self, farm: Farm, name: str) -> None:
        self._folder = farm.state / "worker/tmp"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._name = name
        # It ends by itself when the test doesn't come back.
        self.command = (
            f"d=/farm/worker/tmp; test -d $$d || d={self._folder}; touch $$d/{name}.reached; i=0; "
            f"until test -e $$d/{name}.open; do i=$$((i + 1)); test $$i -lt 3000; sleep 0.1; done"
        )
        self.option = f"--sandbox_writable_path={self._folder}"

    def reached(self) -> bool:
        """Whether an action is there."""
        return (self._folder / f"{self._name}.reached").exists()

    def open(self) -> None:
        """Let actions go on."""
        (self._folder / f"{self._name}.open").touch()


def wait_until(what: str, condition: Callable[[], bool], seconds: float = 240) -> None:
    """Wait for a condition; the test fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not after {seconds:.0f} s: {what}"
        time.sleep(0.1)


def executed(result: Result) -> dict[str, int]:
    """How many actions ran where ("remote", "remote cache hit", "linux-sandbox"), by Bazel's last summary."""
    summary = re.findall(r"^INFO: \d+ process(?:es)?: (.*)\.$", result.err, re.MULTILINE)[-1]
    counts = (part.split(" ", 1) for part in summary.split(", "))
    return {where: int(count) for count, where in counts if where != "internal"}


def by_workers(result: Result) -> bool:
    """Whether workers ran all of it; a result that a client lost it may have got from the cache when it asked again."""
    where = executed(result).keys()
    return bool(where) and where <= {"remote", "remote cache hit"}


@contextlib.contextmanager
def running(folder: Path, *words: str) -> Iterator[tuple[Farm, Client]]:
    """A farm, started with these words, and a client that has its address."""
    farm = Farm(folder)
    started = farm.up(*words)
    assert started.code == 0, started.err
    client = Client(folder, {})
    try:
        yield farm, client
    finally:
        client.bazel("shutdown")
        farm.command("down")
