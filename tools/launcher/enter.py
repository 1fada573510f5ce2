"""Running a command inside the unpacked root, with bubblewrap.

The root replaces the host's /usr, /bin, /sbin, /lib* and /etc; every other path of the
host stays at its own place, so a checkout, a cache or a socket has the same name inside
and outside. The host's /etc is seen at /.host-etc; the root's own /etc has links into it
for what belongs to the machine (resolv.conf, passwd, apt, ...: HOST_ETC), so a change on
the host is seen at once, also by a Bazel server that was started long before.

What Bazel starts sees the same tree: a program that `bazelw run` starts runs in the root
too, not among the host's programs, and without set-user-ID rights (no sudo).
"""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from tools.lib.errors import UserError

REPLACED = ("bin", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr")
HOST_ETC = (
    *("apt", "bazel.bazelrc", "gai.conf", "gitconfig", "group"),
    *("hosts", "localtime", "passwd", "pip.conf", "resolv.conf"),
)
HOST_ETC_PLACE = "/.host-etc"
JAVA_HOME = "/usr/lib/jvm/default-java"
TRUST_STORE = "/etc/ssl/certs/java/cacerts"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_IGNORED_OUTSIDE = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
_PYTHON_IGNORES = (signal.SIGPIPE, signal.SIGXFSZ)  # on start; what is started should not


def arguments(bwrap: str, root: str, certificates: tuple[str, str]) -> list[str]:
    """The bubblewrap command line up to the command.

    `root` is the unpacked root; `certificates` are files of the host: the bundle in PEM
    form and the same as a Java key store.
    """
    line = [bwrap, "--die-with-parent"]
    for name in sorted(os.listdir("/")):
        path = f"/{name}"
        if name in REPLACED or path == HOST_ETC_PLACE:
            continue
        if os.path.islink(path):
            line += ["--symlink", os.readlink(path), path]
        elif name == "dev":
            line += ["--dev-bind", path, path]
        else:
            line += ["--bind-try", path, path]
    line += ["--ro-bind", f"{root}/usr", "/usr", "--ro-bind", f"{root}/etc", "/etc"]
    for name in REPLACED:
        if name not in ("etc", "usr") and os.path.isdir(f"{root}/usr/{name}"):
            line += ["--symlink", f"usr/{name}", f"/{name}"]
    # Inside a root already, the machine's own /etc is the one that is bound there.
    host_etc = HOST_ETC_PLACE if os.path.isdir(HOST_ETC_PLACE) else "/etc"
    line += ["--ro-bind", host_etc, HOST_ETC_PLACE]
    bundle, trust_store = certificates
    line += ["--ro-bind", bundle, BUNDLE, "--ro-bind", trust_store, TRUST_STORE, "--remount-ro", "/"]
    if not os.environ.get("USER"):
        line += ["--setenv", "USER", _user_name()]
    return line


def find(program: str) -> str:
    """The path of a program of the host, "" when there is none."""
    folders = os.environ.get("PATH", "").split(os.pathsep) + ["/usr/bin", "/bin", "/usr/local/bin"]
    paths = (os.path.join(folder, program) for folder in folders if folder)
    return next((path for path in paths if os.access(path, os.X_OK)), "")


def check_place(folder: str, what: str) -> None:
    """Raise UserError when a folder would be hidden by the root."""
    top = os.path.realpath(folder).split("/")[1]
    if top in REPLACED:
        raise UserError(
            f"{folder}: {what} lies under /{top}, which the locked root of Bazel replaces; "
            f"move it to a place outside, or set BAZEL to a Bazel of your own"
        )


def _user_name() -> str:
    """Bazel needs a name for its output folder; a container's user may have none."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def run(line: list[str], command: list[str]) -> int | None:
    """Run the command in the root; its exit code (128 + N for signal N), None if it could not be started.

    bubblewrap stays as the command's parent and would die of a signal that the command
    handles, giving the terminal back too early. So it ignores those signals (`env` in the
    root ends that for the command), and this process passes on what was sent to it alone; what
    the terminal sends (Ctrl-C) reaches the whole process group anyhow.
    """
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    waited = {*_FORWARDED, signal.SIGCHLD}
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in _IGNORED_OUTSIDE}
    names = ",".join(number.name[len("SIG") :] for number in _IGNORED_OUTSIDE)
    full = [
        *line,
        "--json-status-fd",
        str(writer),
        "--",
        "/usr/bin/env",
        f"--default-signal={names}",
        *command,
    ]
    try:
        child = os.posix_spawn(line[0], full, os.environ, setsigmask=previous, setsigdef=_PYTHON_IGNORES)
    finally:
        os.close(writer)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    status = b""  # what bubblewrap tells of itself: JSON objects, a line each
    while True:
        info = signal.sigwaitinfo(waited)
        if info.si_signo == signal.SIGCHLD:
            pid, result = os.waitpid(child, os.WNOHANG)
            if pid:
                break
        elif info.si_code <= 0:  # by a process with kill, not by the kernel for the terminal
            status = status or os.read(reader, 65536)
            _send(status, info.si_signo)
    signal.pthread_sigmask(signal.SIG_SETMASK, previous)
    if os.WIFSIGNALED(result):
        return 128 + os.WTERMSIG(result)
    status += os.read(reader, 65536)
    return os.WEXITSTATUS(result) if b'"exit-code"' in status else None


def replace(path: str, command: list[str]) -> NoReturn:
    """Become a program of the host, with the signals as they were given to this one."""
    for number in _PYTHON_IGNORES:
        signal.signal(number, signal.SIG_DFL)
    os.execv(path, command)


def _send(status: bytes, number: int) -> None:
    """Send a signal to the command, whose process id is in the status."""
    digits = status.partition(b'"child-pid": ')[2].partition(b",")[0]
    if digits.isdigit():
        try:
            os.kill(int(digits), number)
        except ProcessLookupError:
            return
