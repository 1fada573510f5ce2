"""What a command sees in a root: a fixed clock and fixed names, no network, nothing to write to."""

import socket
from pathlib import Path

import pytest

from tests.kernels.kernel_root import KernelRoot, kernel_roots

each_kernel = pytest.mark.parametrize("kernel", kernel_roots(), ids=lambda kernel: kernel.release)
MAKEFILE = r"""
seen := $(shell date -u +%s)
all:
	@echo $(seen); date -u +%s; date; date +%Z; date -d @0 +%s
	@sh -c 'sleep 1; date -u +%s'
	@uname -r; uname -n; uname -m; hostname; whoami; id -u
	@printf '__DATE__ __TIME__\n' | $(CC) -E -P -
"""


@each_kernel
def test_clock_and_names(kernel: KernelRoot, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    place = "/forge/Makefile"
    words = ["--input", f"{tmp_path}/Makefile={place}", "--", "make", "-s", "-f", place, f"CC={kernel.compiler}"]
    done = kernel.run(tmp_path, *words)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "1735689600",
        "1735689600",
        "Wed Jan  1 00:00:00 UTC 2025",
        "UTC",
        "0",
        "1735689600",
        kernel.release,
        "forge",
        "x86_64",
        "forge",
        "root",
        "0",
        '"Jan  1 2025" "00:00:00"',
    ]


@each_kernel
def test_no_network(kernel: KernelRoot, tmp_path: Path) -> None:
    """Not even the machine's own loopback, on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        done = kernel.run(tmp_path, "--", "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}")
    assert done.returncode != 0
    assert "Connection refused" in done.stderr
    outside = kernel.run(tmp_path, "--", "bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/80")
    assert "Network is unreachable" in outside.stderr


@each_kernel
def test_only_three_folders_can_be_written(kernel: KernelRoot, tmp_path: Path) -> None:
    script = "for d in / /usr /etc /forge /usr/src /tmp /build /out; do (: > $d/x) 2> /dev/null && echo $d; done"
    assert kernel.shell(tmp_path, script).stdout.split() == ["/tmp", "/build", "/out"]


@each_kernel
def test_nothing_of_the_caller(kernel: KernelRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "1")
    done = kernel.shell(tmp_path, f"env; ls / /build; ls -d {tmp_path}")
    assert "SECRET_OF_THE_CALLER" not in done.stdout
    assert str(tmp_path) not in done.stdout
    assert done.returncode != 0


@each_kernel
def test_the_exit_code_passes(kernel: KernelRoot, tmp_path: Path) -> None:
    assert kernel.shell(tmp_path, "exit 7").returncode == 7


@each_kernel
def test_an_output_that_isnt_made(kernel: KernelRoot, tmp_path: Path) -> None:
    done = kernel.run(tmp_path, "--output", f"promised={tmp_path}/promised", "--", "true")
    assert done.returncode == 1
    assert "left no /out/promised" in done.stderr
