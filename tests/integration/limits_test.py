"""No space left, and no user namespaces: one message, a non-zero exit, nothing half-written."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.workspace import runfile

RUNTIME = runfile("../tool_runtime/bin/bwrap").parents[1]
BWRAP = str(RUNTIME / "bin/bwrap")
PYTHON = [str(RUNTIME / "bin/python3"), "-ISB"]
ROOT = runfile("roots/kbuild-bookworm.tar")
RUN_IN_ROOT = [*PYTHON, str(runfile("tools/roots/run_in_root.pyz")), "--layer", str(ROOT)]


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def on_small_disk(folder: Path, size: int, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder` as on a disk of `size` bytes; afterwards its files are printed, after "left:"."""
    script = '"$@"; code=$?; echo left: $(ls -A); exit $code'
    disk = [BWRAP, "--dev-bind", "/", "/", "--size", str(size), "--tmpfs", str(folder), "--chdir", str(folder)]
    return run([*disk, "sh", "-c", script, "sh", *words], folder)


def test_no_space_for_what_the_command_leaves(tmp_path: Path) -> None:
    write = [*RUN_IN_ROOT, "--runtime", str(RUNTIME), "--output", "big=big", "--"]
    big = ["sh", "-c", "head -c 5000000 /dev/zero > /out/big"]
    done = on_small_disk(tmp_path, 1000000, [*write, *big])
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert done.stdout == "left:\n"
    done = on_small_disk(tmp_path, 10000000, [*write, *big])
    assert (done.returncode, done.stdout) == (0, "left: big\n"), done.stderr


def test_no_space_to_unpack_the_root(tmp_path: Path) -> None:
    # The runtime again, with a bwrap that gives every tmpfs 50 MB.
    (tmp_path / "runtime/bin").mkdir(parents=True)
    (tmp_path / "runtime/root").symlink_to(RUNTIME / "root")
    for name in ("python3", "tar"):
        (tmp_path / "runtime/bin" / name).symlink_to(RUNTIME / "bin" / name)
    small = 'for word; do shift; [ "$word" = --tmpfs ] && set -- "$@" --size 50000000; set -- "$@" "$word"; done'
    (tmp_path / "runtime/bin/bwrap").write_text(f'#!/bin/sh\n{small}\nexec {BWRAP} "$@"\n')
    (tmp_path / "runtime/bin/bwrap").chmod(0o755)
    done = run([*RUN_IN_ROOT, "--runtime", str(tmp_path / "runtime"), "--", "true"], tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {ROOT}: cannot unpack: no space left; "
        "roots are unpacked in memory: free some, or run less at once (--jobs=N)\n"
    )
    assert os.listdir(tmp_path) == ["runtime"]


def test_no_space_for_a_root_archive(tmp_path: Path) -> None:
    packages = [str(path) for path in runfile("../root_kbuild-bookworm/packages").glob("*.deb")]
    lock = str(runfile("roots/kbuild-bookworm.lock.json"))
    tool = [*PYTHON, str(runfile("tools/roots/root_archive.pyz"))]
    done = on_small_disk(
        tmp_path, 1000000, [*tool, "--runtime", str(RUNTIME), "--lock", lock, "--output", "root.tar", *packages]
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "No space left" in done.stderr or "no space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == "left:\n"


@pytest.mark.parametrize(
    "call", ["write_atomically(pathlib.Path('out'), 'x' * 2000000)", "pathlib.Path('f').write_text('x' * 2000000)"]
)
def test_no_space_for_any_tool(tmp_path: Path, call: str) -> None:
    script = (
        f"import pathlib, sys; sys.path.insert(0, {os.getcwd()!r});"
        "from tools.lib.cli import run; from tools.lib.files import write_atomically;"
        f"run(lambda words: {call})"
    )
    done = on_small_disk(tmp_path, 1000000, [*PYTHON, "-c", script])
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "o space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "out" not in done.stdout


def test_user_namespaces_switched_off(tmp_path: Path) -> None:
    # Inside a namespace, where its owner may set the limit for those below it.
    off = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'
    inside = [BWRAP, "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL", "--dev-bind", "/", "/"]
    words = [*inside, "sh", "-c", off, "sh", *RUN_IN_ROOT, "--runtime", str(RUNTIME), "--", "true"]
    done = run(words, tmp_path)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert errors == [
        "error: user namespaces are switched off by user.max_user_namespaces; "
        "allow them: sudo sysctl -w user.max_user_namespaces=15000"
    ]
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == []
    assert run([*RUN_IN_ROOT, "--runtime", str(RUNTIME), "--", "true"], tmp_path).returncode == 0
