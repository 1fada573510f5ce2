"""Network namespaces without root rights: `hold PID` and `enter PID COMMAND...`, which hosts.py runs.

Python 3.11 has neither unshare(2) nor setns(2); the constants are those of <linux/sched.h>.
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def join(pid: int, kinds: Sequence[str]) -> None:
    """Enter these namespaces of a process."""
    for kind in kinds:
        with open(f"/proc/{pid}/ns/{kind}") as namespace:
            _check(_LIBC.setns(namespace.fileno(), 0))


def hold(pid: int) -> None:
    """Keep a new network until standard input ends: below the user namespace of a process; 0: below a new one."""
    user, group = os.getuid(), os.getgid()
    if pid:
        join(pid, ["user"])
        _check(_LIBC.unshare(_CLONE_NEWNET))
    else:
        _check(_LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNET))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    command, process, *words = sys.argv[1:]
    if command == "hold":
        hold(int(process))
    else:
        join(int(process), ["user", "net"])
        os.execvp(words[0], words)
