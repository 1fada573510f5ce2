"""A Docker daemon of a test's own: dockerd from a locked root, unprivileged, gone with the test.

DOCKER_HOST wins: a test that finds it set uses that daemon (podman's socket works as well).

It has a network of its own, without a way out; containers run with `--network host` to be in it, and
`Daemon.forward` makes a port of it one of the test's.

dockerd runs in a user namespace. Where the caller may give out user ids (root outside of a sandbox), containers have
all of them. Elsewhere there is one id: a seccomp filter then answers chown(2), setuid(2) and their like with success
and changes nothing, so that every image loads and runs, and everything in it belongs to one user.
"""

import ctypes
import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.roots.run_in_root import unpack

RUNFILES = Path.cwd()
_RUNTIME = RUNFILES.parent / "tool_runtime"
_IDS = 1_000_000  # how many ids containers have where there is more than one
_CLONE_NEWUSER = 0x10000000
_PATIENCE = 300  # seconds for dockerd to answer, on a machine that is busy
_PLACES = ("proc", "dev", "sys", "tmp", "run", "state", "socket", "usr/local/sbin")
# Docker sets this gid for /dev/pts; it isn't there when there is one id. Nor are control groups in every sandbox.
_RUNC = r"""#!/bin/sh
last=
for word; do
    [ "$last" != --bundle ] || sed -i -e 's/,"gid=5"//' \
        -e 's/,{"destination":"\/sys\/fs\/cgroup"[^}]*}//' "$word/config.json"
    last=$word
done
exec /usr/sbin/runc "$@"
"""
# runc looks for control groups, which not every sandbox shows, and goes on without those that it may not change.
_PREPARE = 'mount -t cgroup2 -o ro cgroup2 /sys/fs/cgroup; exec "$@"'
# x86-64: chown, fchown, lchown, setuid, setgid, setreuid, setregid, setgroups, setresuid, setresgid, fchownat.
_ANSWERED = (92, 93, 94, 105, 106, 113, 114, 116, 117, 119, 260)
_AUDIT_ARCH_X86_64 = 0xC000003E
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO_0 = 0x7FFF0000, 0x00050000


def seccomp_filter() -> bytes:
    """A BPF program (linux/filter.h, linux/seccomp.h) by which the calls that need more than one id return 0."""
    count = len(_ANSWERED)
    program = [
        (_LOAD, 0, 0, 4),  # seccomp_data.arch
        (_EQUAL, 0, count + 1, _AUDIT_ARCH_X86_64),
        (_LOAD, 0, 0, 0),  # seccomp_data.nr
        *((_EQUAL, count - position, 0, number) for position, number in enumerate(_ANSWERED)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO_0),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def has_ids() -> bool:
    """Whether this process may give out user ids."""
    mapped = sum(int(line.split()[2]) for line in Path("/proc/self/uid_map").read_text().splitlines())
    return os.geteuid() == 0 and mapped >= _IDS


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


class Daemon:
    """dockerd, with everything of it below `folder`; `address` is its DOCKER_HOST.

    It sees `shared` at its own place.
    """

    def __init__(self, folder: Path, shared: Path | None = None) -> None:
        self._folder = folder / "dockerd"
        self._shared = shared
        # A socket's name has at most 107 bytes, and a test's folder is deep.
        self._short = Path(tempfile.mkdtemp(prefix="docker."))
        self._process: subprocess.Popen[bytes] | None = None
        self.inside = 0  # a process in its namespaces
        self._forwarders: list[subprocess.Popen[bytes]] = []
        self._given = os.environ.get("DOCKER_HOST", "")
        self.address = self._given or f"unix://{self._short}/docker.sock"
        self.log = self._folder / "log"

    def start(self) -> None:
        """Start it and wait until it answers."""
        if self._given:
            return
        root, state = self._folder / "root", self._folder / "state"
        for path in (root, state):
            path.mkdir(parents=True)
        unpack(str(_RUNTIME), str(RUNFILES / "roots/docker.tar"), root)
        for name in (*_PLACES, *([str(self._shared).lstrip("/")] if self._shared else [])):
            (root / name).mkdir(exist_ok=True, parents=True)
        runc = root / "usr/local/sbin/runc"
        runc.write_text(_RUNC)
        runc.chmod(0o755)
        (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        (root / "etc/resolv.conf").touch()
        self._process = self._spawn(root, state)
        self._wait()

    def _spawn(self, root: Path, state: Path) -> subprocess.Popen[bytes]:
        words = [
            str(_RUNTIME / "bin/bwrap"), "--die-with-parent", "--cap-add", "ALL",
            "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup",
            "--ro-bind", str(root), "/", "--proc", "/proc", "--dev", "/dev", "--ro-bind", "/sys", "/sys",
            "--tmpfs", "/tmp", "--tmpfs", "/run", "--bind", str(state), "/state", "--bind", str(self._short), "/socket",
            "--clearenv", "--setenv", "HOME", "/tmp", "--setenv", "XDG_RUNTIME_DIR", "/run",
            "--setenv", "PATH", "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        ]  # fmt: skip
        if self._shared:
            words += ["--bind", str(self._shared), str(self._shared)]
        dockerd = [
            "sh", "-c", _PREPARE, "sh",
            "dockerd", "--rootless", "--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false",
            "--data-root", "/state", "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid",
            "--host", "unix:///socket/docker.sock",
        ]  # fmt: skip
        told, telling = os.pipe()
        words += ["--info-fd", str(telling)]
        try:
            with self.log.open("wb") as log:
                process = _start(words, dockerd, log.fileno(), telling)
        finally:
            os.close(telling)
        with os.fdopen(told) as stream:
            text = stream.read()
        self.inside = json.loads(text)["child-pid"] if text else 0
        return process

    def _wait(self) -> None:
        assert self._process
        deadline = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            connection = _UnixConnection(self._short / "docker.sock")
            with suppress(OSError, http.client.HTTPException):
                connection.request("GET", "/_ping")
                if connection.getresponse().status == 200:
                    return
            connection.close()
            time.sleep(0.1)
        log = self.log.read_text(errors="replace")
        self.stop()
        raise RuntimeError(f"dockerd doesn't answer:\n{log[-4000:]}")

    def forward(self, port: int) -> int:
        """A port of this machine's 127.0.0.1 that leads to `port` where the daemon's `--network host` is."""
        if self._given:
            return port
        with socket.create_server(("127.0.0.1", 0)) as listener:
            words = [str(_RUNTIME / "bin/python3"), "-ISB", str(Path(__file__).with_name("forward.py"))]
            words += [str(listener.fileno()), str(self.inside), str(port)]
            self._forwarders.append(subprocess.Popen(words, pass_fds=[listener.fileno()]))
            given: int = listener.getsockname()[1]
            return given

    def stop(self) -> None:
        """End it and all its containers, and remove what it had."""
        for forwarder in self._forwarders:
            forwarder.kill()
            forwarder.wait()
        self._forwarders.clear()
        if self._process:
            self._process.kill()  # its namespace ends with it
            self._process.wait()
            self._process = None
        shutil.rmtree(self._short, ignore_errors=True)
        for path, _, _ in os.walk(self._folder):
            os.chmod(path, 0o700)
        shutil.rmtree(self._folder, ignore_errors=True)


def _start(words: Sequence[str], command: Sequence[str], log: int, telling: int) -> subprocess.Popen[bytes]:
    """Start bubblewrap with these words in a user namespace with as many ids as can be had."""
    if has_ids():
        return _start_with_ids([*words, "--", *command], log, telling)
    reading, writing = os.pipe()
    os.write(writing, seccomp_filter())
    os.close(writing)
    words = [*words, "--unshare-user", "--uid", "0", "--gid", "0", "--seccomp", str(reading), "--", *command]
    try:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[reading, telling])
    finally:
        os.close(reading)


def _start_with_ids(words: Sequence[str], log: int, telling: int) -> subprocess.Popen[bytes]:
    """Start a command in a user namespace that has the same ids as this one."""
    libc = ctypes.CDLL(None, use_errno=True)
    ready, mapped = os.pipe(), os.pipe()

    def enter() -> None:
        if libc.unshare(_CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "unshare")
        os.write(ready[1], str(os.getpid()).encode())
        os.read(mapped[0], 1)

    # Popen returns when the command has started, which waits for the maps: another process writes them.
    writer = os.fork()
    if writer == 0:
        with suppress(OSError, ValueError):
            os.close(ready[1])
            pid = int(os.read(ready[0], 20))
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{pid}/{name}").write_text(f"0 0 {_IDS}")
            os.write(mapped[1], b"x")
        os._exit(0)
    try:
        return subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[telling], preexec_fn=enter
        )
    finally:
        for descriptor in (*ready, *mapped):
            os.close(descriptor)
        os.waitpid(writer, 0)


@contextmanager
def daemon(folder: Path, shared: Path | None = None) -> Iterator[Daemon]:
    """A daemon that is started in `folder` and ends with the context; one that DOCKER_HOST names is left alone.

    It sees the folder `shared`, so that containers can have its files mounted.
    """
    started = Daemon(folder, shared)
    try:
        started.start()
        yield started
    finally:
        started.stop()
