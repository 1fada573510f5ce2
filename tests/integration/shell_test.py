"""//kernels:RELEASE.shell: what is built there by hand is what the target builds."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.integration.workspace import Workspace, environment

KERNEL = os.environ["KERNEL"]
PROMPT = "forge:/build/source# "


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace in which the kernel's target is built."""
    workspace = Workspace(tmp_path_factory.mktemp("shell"))
    result = workspace.bazel("build", f"//kernels:{KERNEL}")
    assert result.code == 0, result.err
    yield workspace


def assert_same_bytes(workspace: Workspace, folder: Path) -> None:
    """The module and its debug data in the folder are the target's."""
    for name in ("vrouter.ko", "vrouter.ko.debug"):
        by_target = workspace.output(f"kernels/{KERNEL}/{name}").read_bytes()
        assert sha256((folder / name).read_bytes()).hexdigest() == sha256(by_target).hexdigest()


def test_the_printed_script_gives_the_same_bytes(workspace: Workspace, tmp_path: Path) -> None:
    words = ["run", f"//kernels:{KERNEL}.shell", "--", "sh", "/build/build.sh"]
    result = workspace.bazel(*words, extra={"FORGE_OUT": str(tmp_path / "out")})
    assert result.code == 0, result.err
    assert_same_bytes(workspace, tmp_path / "out")


def test_words_and_their_exit_code(workspace: Workspace) -> None:
    result = workspace.bazel("run", f"//kernels:{KERNEL}.shell", "--", "sh", "-c", "uname -r; pwd; exit 7")
    assert result.code == 7
    assert result.out.splitlines() == [KERNEL, "/build/source"]


class Terminal:
    """A program with a terminal of its own, and what it has printed there."""

    def __init__(self, words: list[str], cwd: Path, variables: dict[str, str]) -> None:
        self._here, there = pty.openpty()
        self.process = subprocess.Popen(
            words, cwd=cwd, env=variables, stdin=there, stdout=there, stderr=there, start_new_session=True
        )
        os.close(there)
        self.text = ""

    def wait_for(self, text: str, seconds: float = 120) -> str:
        """Read until `text` is printed; what came up to it. Fails when the time or the program is over."""
        end = time.monotonic() + seconds
        while text not in self.text:
            readable, _, _ = select.select([self._here], [], [], max(0.0, end - time.monotonic()))
            assert readable, f"no {text!r} within {seconds} s in {self.text!r}"
            try:
                self.text += os.read(self._here, 65536).decode(errors="replace")
            except OSError as error:
                raise AssertionError(f"ended without {text!r} in {self.text!r}") from error
        before, _, self.text = self.text.partition(text)
        return before

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        os.write(self._here, f"{line}\n".encode())


def test_by_hand_in_a_terminal(workspace: Workspace, tmp_path: Path) -> None:
    terminal = Terminal(
        workspace.command("run", f"//kernels:{KERNEL}.shell"),
        workspace.root,
        environment() | {"FORGE_OUT": str(tmp_path), "TERM": "xterm"},
    )
    greeting = terminal.wait_for(PROMPT)
    assert f"Root of kernel {KERNEL}" in greeting
    commands = re.findall(r"^  (cd /.*?)\r?$", greeting, re.MULTILINE)
    assert len(commands) >= 3
    for command in commands:
        # A subshell, as the commands change the folder and the prompt says where one is.
        terminal.type(f"({command}) && echo went-we''ll")
        terminal.wait_for("went-well")
    terminal.type("exit 3")
    assert terminal.process.wait(timeout=60) == 3
    assert_same_bytes(workspace, tmp_path)


def test_interrupt_goes_to_the_program(workspace: Workspace) -> None:
    terminal = Terminal(workspace.command("run", f"//kernels:{KERNEL}.shell"), workspace.root, environment())
    terminal.wait_for(PROMPT)
    terminal.type("sleep 1000 || echo interr''upted; echo still he''re")
    time.sleep(1)
    terminal.type("\x03")
    terminal.wait_for(PROMPT)
    terminal.type("exit 0")
    assert terminal.process.wait(timeout=60) == 0
