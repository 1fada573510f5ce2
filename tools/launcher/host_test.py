"""The error texts: one command for each distribution, the setting that is in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.launcher import host


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "apt-get install -y bubblewrap"),
        ("ID=linuxmint\nID_LIKE='ubuntu debian'\n", "apt-get install -y bubblewrap"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "dnf install -y bubblewrap"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "zypper --non-interactive install bubblewrap"),
        ("ID=arch\n", "pacman -S --noconfirm bubblewrap"),
        ("# nothing\n", ""),
    ],
)
def test_install_command(release: str, command: str, tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text(release)
    assert host.install_command(host.os_release(tmp_path / "os-release")) == command


def test_missing_text_has_sudo_for_who_needs_it() -> None:
    assert host.missing_text({"ID": "debian"}, 0).endswith(": apt-get install -y bubblewrap")
    assert host.missing_text({"ID": "debian"}, 1000).endswith(": sudo apt-get install -y bubblewrap")
    assert "package manager" in host.missing_text({}, 1000)


@pytest.mark.parametrize(
    ("file", "value", "uid", "wanted"),
    [
        ("kernel/unprivileged_userns_clone", "0", 1000, ("kernel.unprivileged_userns_clone", "1")),
        ("kernel/unprivileged_userns_clone", "1", 1000, ("", "")),
        ("kernel/unprivileged_userns_clone", "0", 0, ("", "")),
        ("user/max_user_namespaces", "0", 0, ("user.max_user_namespaces", "15000")),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            1000,
            ("kernel.apparmor_restrict_unprivileged_userns", "0"),
        ),
    ],
)
def test_blocking_setting(file: str, value: str, uid: int, wanted: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_text(value + "\n")
    assert host.blocking_setting(tmp_path, uid) == wanted


def test_namespace_text() -> None:
    text = host.namespace_text("why", "user.max_user_namespaces", "15000")
    assert "sudo sysctl -w user.max_user_namespaces=15000" in text
    assert "(why)" in host.namespace_text("why", "", "")
