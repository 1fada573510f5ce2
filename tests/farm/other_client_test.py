"""Clients of other Bazel versions: builds end right, or with one message, and never with another's bytes."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm.client import Client, running
from tests.farm.farm import Farm, error
from tests.integration.workspace import Result, checkout, environment, find_bazel, runfile

World = tuple[Farm, Client]
INVALID_ARGUMENT = 3  # of gRPC


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One farm and one Bazel for the tests of this module."""
    with running(tmp_path_factory.mktemp("other"), "--workers", "1") as world:
        world[1].rule("shared", "echo shared > $@")
        world[1].rule("after", "cat $< > $@; echo after >> $@", "shared")
        yield world


class OtherBazel:
    """The Bazel of the root `other-bazel`, in a workspace that is seen at /client."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "root"
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        for place in ("client", "dev", "proc", "tmp"):
            (self._root / place).mkdir(parents=True, exist_ok=True)
        archive = str(runfile("roots/other-bazel.tar"))
        tar = ["tar", "-xf", archive, "-C", str(self._root), "--no-same-owner", "--keep-directory-symlink"]
        subprocess.run(tar, check=True)

    def output(self, name: str) -> str:
        """What a genrule wrote."""
        folder = (self.workspace / "bazel-bin").readlink().relative_to("/client")
        return (self.workspace / folder / f"{name}.txt").read_text()

    @property
    def words(self) -> list[str]:
        """The words that run it."""
        line = [str(runfile("../tool_runtime/bin/bwrap")), "--die-with-parent", "--ro-bind", str(self._root), "/"]
        line += ["--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc", "--tmpfs", "/tmp"]
        line += ["--bind", str(self.workspace), "/client", "--chdir", "/client", "--clearenv"]
        for name, value in {"HOME": "/tmp", "USER": "tester", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}.items():
            line += ["--setenv", name, value]
        return [*line, "--", "/usr/bin/bazel-4"]

    def run(self, command: str, *words: str) -> Result:
        """Run it to its end, without a server that stays."""
        startup = ["--batch", "--output_user_root=/client/out", "--server_javabase=/usr/lib/jvm/default-java"]
        line = [*self.words, *startup, command, "--color=no", "--curses=no", *words]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> OtherBazel:
    """The other Bazel."""
    return OtherBazel(tmp_path_factory.mktemp("bazel"))


def test_another_bazel_on_the_same_farm(world: World, other: OtherBazel) -> None:
    farm, client = world
    (other.workspace / "WORKSPACE").touch()
    (other.workspace / "BUILD").write_text((client.root / "BUILD").read_text())
    words = [f"--remote_executor={farm.address}", "--spawn_strategy=remote"]
    words += [f"--remote_default_exec_properties={pair}" for pair in ("OSFamily=linux", "ISA=x86-64")]
    for expected in ("2 remote.", "2 remote cache hit"):
        done = other.run("build", *words, "//:after")
        assert (done.code, expected in done.err) == (0, True), done.err
        assert other.output("after") == "shared\nafter\n"
        done = client.fresh_build("//:after", "--config=farm")
        assert done.code == 0, done.err
        assert client.output("after") == "shared\nafter\n"
        assert other.run("clean").code == 0


def test_a_checkout_with_another_bazel(other: OtherBazel, tmp_path: Path) -> None:
    wanted = (checkout() / ".bazelversion").read_text().strip()
    bazel = tmp_path / "bin/bazel"
    bazel.parent.mkdir()
    bazel.write_text(f'#!/bin/sh\nexec {shlex.join(other.words)} "$@"\n')
    bazel.chmod(0o755)
    settings = environment() | {"HOME": str(tmp_path)}

    def launch(**extra: str) -> Result:
        line = [str(checkout() / "bazelw"), "--version"]
        done = subprocess.run(line, env=settings | extra, capture_output=True, text=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    # The launcher takes the one of the right version, wherever another one stands.
    path = os.pathsep.join([str(bazel.parent), str(Path(find_bazel()).parent), settings["PATH"]])
    assert launch(PATH=path).out.startswith(f"bazel {wanted}")
    # Debian's doesn't say which one it is.
    said = error(launch(BAZEL=str(bazel)))
    assert f"does not answer --version like a released Bazel, but .bazelversion says {wanted}; set BAZEL to" in said
    # Started in the checkout all the same, it doesn't get far.
    shutil.copy(checkout() / ".bazelrc", other.workspace)
    done = other.run("build", "//:after")
    (other.workspace / ".bazelrc").unlink()
    assert done.code == 2, done.err
    lines = [line for line in done.err.splitlines() if line.startswith("ERROR: ")]
    assert lines == ["ERROR: --noenable_bzlmod :: Unrecognized option: --noenable_bzlmod"]


def test_another_digest_function(world: World) -> None:
    _, client = world
    client.settings("startup --digest_function=SHA1")
    done = client.bazel("build", "//:after", "--config=farm")
    client.settings()
    assert (done.code, "2 processes: 2 internal." in done.err) == (34, True), done.err
    assert "failed: (Exit 34): Cannot use hash function SHA1 with remote cache. Server supported" in done.err


@pytest.mark.parametrize("form", ["files", "paths", "unknown"])
def test_other_forms_of_an_action(world: World, form: str) -> None:
    farm, _ = world
    said = farm.ask("execute", form, form)
    assert (said["code"], said["exit_code"]) == (0, 0), said
    assert (said["files"], said["trees"]) == ({"out.txt": f"{form}\n"}, [{"leaf": f"{form}\n"}])


@pytest.mark.parametrize(
    ("function", "digest_function"),
    # blake2s has hashes as long as SHA-256's and BLAKE3's: only the bytes tell.
    [("sha1", "SHA1"), ("sha512", "SHA512"), ("blake2s", "BLAKE3")],
)
def test_blobs_of_another_digest_function_are_refused(world: World, function: str, digest_function: str) -> None:
    farm, _ = world
    said = farm.ask("store", function, digest_function, "content")
    assert said["code"] == INVALID_ARGUMENT, said
