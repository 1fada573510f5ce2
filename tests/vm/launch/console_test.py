"""`bazel run //kernels:RELEASE.vm`: the console of a machine that has the module, and a way in from the host."""

import socket
from pathlib import Path

from tests.vm.launch.started import started


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def test_console_with_a_port_of_the_host(tmp_path: Path) -> None:
    port = _free_port()
    with started(tmp_path, terminal=True, QEMU_NET_OPTS=f"hostfwd=tcp:127.0.0.1:{port}-:7") as program:
        program.expect(r"/ # ")
        program.expect(r"vrouter +\d+", after="lsmod\n")
        program.expect(r"module\s+\d+\.", after="vr version\n")
        program.expect(r"ready", after="nc -l -p 7 -e echo hello & sleep 1; echo rea''dy\n")
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            assert connection.recv(100) == b"hello\n"
        program.expect("", after="\x01x")
        assert program.wait() == 0
        program.assert_nothing_left()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        with started(tmp_path, terminal=True, QEMU_NET_OPTS=f"hostfwd=tcp:127.0.0.1:{port}-:7") as program:
            program.expect(
                rf"error: QEMU_NET_OPTS: 'hostfwd=\S+:{port}-:7': the host's tcp port {port} is taken; choose "
            )
            assert program.wait() == 1
            assert "Traceback" not in program.output
            program.assert_nothing_left()
