"""Entering a root: what is bound, exit codes, signals. The host's own /usr serves as the root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.launcher import certificates, enter
from tools.lib.errors import UserError

CHECKOUT = Path(__file__).parents[2]
BWRAP = shutil.which("bwrap") or ""
CAN_ENTER = bool(BWRAP) and not subprocess.run([BWRAP, "--bind", "/", "/", "true"], check=False).returncode
needs_bwrap = pytest.mark.skipif(not CAN_ENTER, reason="no bubblewrap, or no user namespaces, here")


def test_the_root_replaces_the_system_and_nothing_else() -> None:
    line = " ".join(enter.arguments("bwrap", "/root-of-bazel", ("/bundle", "/store")))
    assert "--ro-bind /root-of-bazel/usr /usr" in line
    assert "--ro-bind /root-of-bazel/etc /etc" in line
    assert "--bind-try /proc /proc" in line
    assert "--dev-bind /dev /dev" in line
    assert "--bind-try /tmp /tmp" in line
    assert "--bind-try /usr" not in line
    assert "--unshare-pid" not in line


@pytest.mark.parametrize("folder", ["/usr/src", "/etc"])
def test_a_folder_that_the_root_would_hide_is_refused(folder: str) -> None:
    with pytest.raises(UserError, match="the checkout lies under /"):
        enter.check_place(folder, "the checkout")
    enter.check_place("/tmp", "the checkout")


def _entering(script: str) -> list[str]:
    """A process that runs a shell script in a place made by bubblewrap and ends with its code."""
    program = (
        "import sys; from tools.launcher import enter; "
        f"sys.exit(enter.run([{BWRAP!r}, '--die-with-parent', '--dev-bind', '/', '/'], "
        f"['/bin/sh', '-c', {script!r}]))"
    )
    return [sys.executable, "-c", program]


@needs_bwrap
@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 37", 37), ("kill -9 $$", 137)])
def test_exit_codes_pass_through(script: str, code: int) -> None:
    assert subprocess.run(_entering(script), cwd=CHECKOUT, check=False).returncode == code


@needs_bwrap
def test_a_failure_of_bubblewrap_itself_is_told_from_the_command_s() -> None:
    assert (
        enter.run([BWRAP, "--bind", "/", "/", "--ro-bind", "/no/such/place", "/tmp"], ["/bin/true"]) is None
    )


@needs_bwrap
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole_group", [False, True])
def test_signals_reach_the_command_which_decides(number: signal.Signals, whole_group: bool) -> None:
    script = "trap 'echo stopped; exit 7' INT TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        _entering(script), cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        (os.killpg if whole_group else os.kill)(process.pid, number)
        assert process.stdout.read().startswith("stopped")
        assert process.wait(10) == 7


@needs_bwrap
def test_the_command_dies_with_the_launcher(tmp_path: Path) -> None:
    script = f"echo ready; while :; do touch {tmp_path}/alive; sleep 0.05; done"
    with subprocess.Popen(_entering(script), cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.stdout.read()  # ends when the last that writes to it has ended
    (tmp_path / "alive").unlink(missing_ok=True)
    time.sleep(0.3)
    assert not (tmp_path / "alive").exists()


def test_key_store_has_each_good_certificate_once() -> None:
    block = b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
    bundle = (
        b"# comment\n"
        + block % b"AAEC\nAwQF"
        + block % b"AAEC\nAwQF"
        + block % b"not base64!"
        + block % b"BgcI"
    )
    ders = certificates.certificates(bundle)
    assert ders == [bytes(range(6)), bytes(range(6, 9))]
    store = certificates.key_store(ders)
    assert store[:12] == bytes.fromhex("feedfeed 00000002 00000002")
    assert bytes(range(6)) in store
