"""What the machine must have for the locked Bazel: bubblewrap and user namespaces.

Only looked at before the root is unpacked and after bubblewrap failed, never on a good start.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from tools.launcher import enter
from tools.lib.errors import UserError

SWITCH = "BAZELW_INSTALL"
_INSTALL = {
    "debian": "apt-get install -y bubblewrap",
    "fedora": "dnf install -y bubblewrap",
    "suse": "zypper --non-interactive install bubblewrap",
    "arch": "pacman -S --noconfirm bubblewrap",
    "alpine": "apk add bubblewrap",
    "gentoo": "emerge sys-apps/bubblewrap",
    "void": "xbps-install -y bubblewrap",
}
_SAME_FAMILY = {"ubuntu": "debian", "rhel": "fedora", "centos": "fedora", "opensuse": "suse", "sles": "suse"}
# The setting, the value that forbids user namespaces to an ordinary user, and the one that allows them.
_SYSCTLS = (
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
)


def check() -> None:
    """Raise UserError, with the one command that helps, when the locked Bazel can't run here."""
    if platform.machine() != "x86_64":
        raise UserError(
            f"this machine is {platform.machine()} and the locked Bazel is for x86_64; "
            "set BAZEL to a Bazel of the version in .bazelversion"
        )
    if not enter.find("bwrap"):
        _offer_bubblewrap(Path("/etc/os-release"))
    failure = _try_namespace()
    if failure:
        raise _namespace_error(failure)


def why_not_entered() -> UserError:
    """The reason why bubblewrap could not start the command, for after the fact."""
    failure = _try_namespace()
    if failure:
        return _namespace_error(failure)
    return UserError("bubblewrap could not enter Bazel's root (its message is above)")


def install_command(release: dict[str, str]) -> str:
    """The command that installs bubblewrap on the distribution of an os-release(5), "" if unknown."""
    for name in [release.get("ID", ""), *release.get("ID_LIKE", "").split()]:
        family = _SAME_FAMILY.get(name.split("-")[0], name)
        if family in _INSTALL:
            return _INSTALL[family]
    return ""


def missing_text(release: dict[str, str], uid: int) -> str:
    """What to tell who has no bubblewrap."""
    command = install_command(release)
    if not command:
        return "bubblewrap (bwrap) is missing; install it with this distribution's package manager"
    return f"bubblewrap is missing; install it with: {'' if uid == 0 else 'sudo '}{command}"


def os_release(path: Path) -> dict[str, str]:
    """The fields of an os-release(5) file; none when there is no such file."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def _offer_bubblewrap(release_file: Path) -> None:
    """Install bubblewrap where that is allowed and wanted, else raise UserError."""
    release = os_release(release_file)
    text = missing_text(release, os.getuid())
    command = install_command(release)
    if os.getuid() != 0 or not command.startswith("apt-get"):
        raise UserError(text)
    if os.environ.get(SWITCH) != "1":
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UserError(f"{text} (or set {SWITCH}=1 and bazelw does so)")
        print(f"bazelw needs bubblewrap: {command}\ninstall now? [Y/n] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("", "y", "yes"):
            raise UserError(text)
    # A fresh machine's package lists may be missing or too old to install from.
    for step in (command, "apt-get update", command):
        done = subprocess.run(step.split(), stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
        if enter.find("bwrap"):
            return
    raise UserError(f"'{command}' ended with code {done.returncode} and there is still no bubblewrap")


def _try_namespace() -> str:
    """bubblewrap's complaint when a user namespace can't be made, "" when it can."""
    command = [enter.find("bwrap"), "--unshare-user", "--ro-bind", "/", "/", "true"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode == 0:
        return ""
    return done.stderr.decode(errors="replace").strip() or f"bwrap ended with code {done.returncode}"


def blocking_setting(sysctls: Path, uid: int) -> tuple[str, str]:
    """The sysctl that forbids user namespaces and the value that allows them; ("", "") if none does.

    Root is only held back by the limit on their number.
    """
    for name, forbids, allows in _SYSCTLS:
        file = sysctls / name.replace(".", "/")
        if uid == 0 and not name.startswith("user."):
            continue
        try:
            value = file.read_text().strip()
        except OSError:
            continue
        if value == forbids:
            return name, allows
    return "", ""


def _namespace_error(failure: str) -> UserError:
    return UserError(namespace_text(failure, *blocking_setting(Path("/proc/sys"), os.getuid())))


def namespace_text(failure: str, name: str, value: str) -> str:
    """What to tell who can't make user namespaces."""
    if name:
        return (
            f"user namespaces are switched off by {name}; allow them with: "
            f"sudo sysctl -w {name}={value} (and a line '{name} = {value}' in /etc/sysctl.d to keep it)"
        )
    return (
        f"bubblewrap can't make a user namespace ({failure}); in a container, start it with the rights to "
        "make one (docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined), "
        "or set BAZEL to a Bazel of the version in .bazelversion"
    )
