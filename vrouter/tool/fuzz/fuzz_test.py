"""Mutated replies through vr's reader, under sanitizers in the root that has them; and vr-fuzz's own errors."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FUZZ, SANITIZED = (Path(os.environ[name]).absolute() for name in ("FUZZ", "SANITIZED"))
SOURCES = [Path(source) for source in os.environ["SOURCES"].split()]
COMPILE = Path("tools/c/compile.pyz").absolute()
RUN_IN_ROOT = Path("tools/roots/run_in_root.pyz").absolute()
ROOT = Path("roots/userspace.tar").absolute()
RUNTIME = Path("../tool_runtime").absolute()


def fuzz(*words: str) -> subprocess.CompletedProcess[str]:
    """Run vr-fuzz."""
    return subprocess.run([FUZZ, *words], capture_output=True, text=True, check=False)


def counts(said: str) -> dict[str, int]:
    """How many replies ended in each way."""
    return {way: int(number) for number, way in re.findall(r"^ +(\d+) (.+)$", said, re.MULTILINE)}


def in_root(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """run_in_root with these words after its layers; works in `folder`."""
    command = [RUNTIME / "bin/python3", "-ISB", RUN_IN_ROOT, "--runtime", RUNTIME, "--layer", f"{ROOT}=/", *words]
    return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)


def fuzz_replies(folder: Path, program: Path) -> subprocess.CompletedProcess[str]:
    """Run a sanitized vr-fuzz over mutated replies."""
    return in_root(folder, "--input", f"{program}=/vr-fuzz", "--", "/vr-fuzz", "replies", "--seed", "1")


def test_100000_mutated_replies_under_sanitizers(tmp_path: Path) -> None:
    done = fuzz_replies(tmp_path, SANITIZED)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("100000 messages, seed ")
    # Each way to end is met, or the mutations miss what they are for.
    assert min(counts(done.stderr).values()) > 100 and len(counts(done.stderr)) == 5, done.stderr


@pytest.mark.parametrize(
    "check",
    [
        # What mnl_nlmsg_ok does: to it, 2 GiB and more are negative and thus small.
        ("message->nlmsg_len > *left", "(int)message->nlmsg_len > (int)*left"),
        ("characters == length || ", ""),
        ("(size_t)(end - payload) < size", "payload > end"),
    ],
    ids=["of a message's length", "of a string's end", "of an error's length"],
)
def test_a_check_that_is_left_out_is_noticed(tmp_path: Path, check: tuple[str, str]) -> None:
    words: list[str | Path] = ["--tool", COMPILE, "--output", f"vr-fuzz={tmp_path}/vr-fuzz"]
    options: list[str] = []
    for source in SOURCES:
        copy = tmp_path / source
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
        words += ["--input", f"{copy}=/build/{source}"]
        options += ["--source", str(source)] if source.suffix == ".c" else ["--include", str(source.parent)]
    reader = tmp_path / "vrouter/tool/message.c"
    text = reader.read_text()
    assert text.count(check[0]) == 1
    reader.unlink()
    reader.write_text(text.replace(*check))
    options += ["--library", "mnl", "--sanitize", "--target", "vr-fuzz", "--output", "/out/vr-fuzz"]
    compiled = in_root(tmp_path, *words, "--", *options)
    assert compiled.returncode == 0, compiled.stderr
    done = fuzz_replies(tmp_path, tmp_path / "vr-fuzz")
    assert done.returncode != 0 and re.search("AddressSanitizer|runtime error", done.stderr), done.stderr


def test_a_seed_decides_everything() -> None:
    first, second, other = (fuzz("replies", "--messages", "2000", "--seed", seed) for seed in ("7", "7", "8"))
    assert first.returncode == 0 and first.stdout == ""
    assert counts(first.stderr) == counts(second.stderr) != counts(other.stderr)


def test_what_is_wrong_with_a_command_line() -> None:
    for words, message in (
        ([], "say what to fuzz: kernel or replies"),
        (["vr"], "'vr': expected kernel, replies, --messages N or --seed N"),
        (["replies", "--messages"], "--messages: expected a number"),
        (["replies", "--messages", "-1"], "--messages: expected a number"),
        (["kernel", "--seed", "x"], "--seed: expected a number"),
        (["kernel", "--seed", "1" * 30], "--seed: expected a number"),
    ):
        done = fuzz(*words)
        assert (done.returncode, done.stderr) == (2, f"vr-fuzz: {message}\n")
    assert fuzz("--help").stdout.startswith("Usage: vr-fuzz kernel|replies")
