"""What a command in a root is given; that it really runs there is tested in //tests/kernels/root."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.roots.archives import concatenate, overlay
from tools.roots.clock import SOURCE_DATE_EPOCH, clock_environment
from tools.roots.run_in_root import Plan, inner_command

PLAN = Plan(
    runtime="/runtime",
    layers=(("root.tar", "/"), ("source.tar", "/build/source")),
    inputs=(("/etc/hostname", "/forge/name"),),
    outputs=(("m.ko", "out/m.ko"),),
    environment=(("CC", "gcc-12"),),
    cwd="/build",
    release="6.1.0-1-amd64",
    tool="",
    keep="",
    devices=(),
    network=False,
    signals=False,
    command=("make", "-j1"),
)


def test_a_plan_survives_the_way_into_the_namespace() -> None:
    assert Plan.from_json(json.dumps(asdict(PLAN))) == PLAN


def _environment(words: list[str]) -> dict[str, str]:
    places = [index for index, word in enumerate(words) if word == "--setenv"]
    return {words[index + 1]: words[index + 2] for index in places}


def test_the_command_sees_no_network_and_only_the_listed_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "1")
    words = inner_command(PLAN, tmp_path, tmp_path / "build", tmp_path / "out")
    assert {"--unshare-net", "--clearenv", "--remount-ro"} <= set(words)
    environment = _environment(words)
    assert environment["CC"] == "gcc-12"
    assert "SECRET" not in environment
    assert environment["SOURCE_DATE_EPOCH"] == str(SOURCE_DATE_EPOCH)
    assert words[-3:] == ["--", "make", "-j1"]


def test_the_network_and_devices_are_let_in_only_when_asked_for(tmp_path: Path) -> None:
    words = inner_command(replace(PLAN, network=True, devices=("/dev/kvm",)), tmp_path, tmp_path, tmp_path)
    assert "--unshare-net" not in words
    assert words[words.index("--dev-bind-try") :][:3] == ["--dev-bind-try", "/dev/kvm", "/dev/kvm"]


def test_a_tool_keeps_the_true_clock_for_itself(tmp_path: Path) -> None:
    words = inner_command(replace(PLAN, tool="tool.pyz"), tmp_path, tmp_path, tmp_path)
    assert "SOURCE_DATE_EPOCH" not in _environment(words)
    assert words[-5:-2] == ["/forge/runtime/bin/python3", "-ISB", "/forge/tool.pyz"]


def test_the_clock_is_fixed_where_the_root_has_libfaketime(tmp_path: Path) -> None:
    assert "LD_PRELOAD" not in clock_environment(tmp_path)
    library = tmp_path / "usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    library.parent.mkdir(parents=True)
    library.touch()
    assert clock_environment(tmp_path)["FAKETIME"] == "2025-01-01 00:00:00"


def test_an_overlay_is_the_same_whatever_the_order() -> None:
    first = overlay(["etc"], {"etc/b": "2", "etc/a": "1"}, {"bin": "usr/bin"})
    assert first == overlay(["etc"], {"etc/a": "1", "etc/b": "2"}, {"bin": "usr/bin"})


def test_no_packages_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no package to make it of"):
        concatenate(Path("/runtime"), [], tmp_path / "root.tar")


# Deaf for a moment, as a program is that just starts; then it ends by itself when it is asked to.
_SLOW = """
import signal, sys, time
print("deaf", flush=True)
time.sleep(1.5)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
time.sleep(60)
"""


def test_a_command_that_is_not_ready_for_a_signal_gets_it_later() -> None:
    program = (
        "import sys; from tools.roots.run_in_root import _run_passing_signals;"
        f"sys.exit(_run_passing_signals([sys.executable, '-c', {_SLOW!r}]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"deaf\n"
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(timeout=30) == 7
        assert time.monotonic() - began > 1.0, "it was heard by who was deaf"


def test_a_signal_that_came_before_the_command_gets_to_it() -> None:
    program = (
        "import os, signal, sys; from tools.roots import run_in_root;"
        "run_in_root.hold_signals(); os.kill(os.getpid(), signal.SIGTERM);"
        f"sys.exit(run_in_root._run_passing_signals([sys.executable, '-c', {_SLOW!r}]))"
    )
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, timeout=30, check=False)
    assert done.returncode == 7
