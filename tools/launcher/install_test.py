"""Making a root from packages that the test makes: whole or not at all, one at a time, resumed."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from tools.launcher import enter, install, unpack
from tools.lib.errors import UserError
from tools.lib.locks import Lock, Package, write_lock

CHECKOUT = Path(__file__).parents[2]


def _package(mirror: Path, name: str, files: dict[str, bytes]) -> Package:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    body = data.getvalue()
    header = f"{'data.tar.xz':<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode()
    deb = b"!<arch>\n" + header + body
    (mirror / f"{name}.deb").write_bytes(deb)
    sha256 = hashlib.sha256(deb).hexdigest()
    return Package("", name, "1", "amd64", sha256, len(deb), "debian", f"{name}.deb")


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of two packages on a mirror of files, with an exclude and a link."""
    mirror = tmp_path / "debian"
    mirror.mkdir()
    monkeypatch.setenv("DEBIAN_MIRRORS", f"file://{mirror}")
    programs = {f".{name}": b"#!/bin/sh\n" for name in install.NEEDED}
    certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    packages = (
        _package(mirror, "bazel-bootstrap", programs | {"./usr/share/doc/x": b"text"}),
        _package(mirror, "libnetty-tcnative-jni", {"./usr/lib/x86_64-linux-gnu/jni/libnetty-tcnative.so": b"tls"}),
        _package(mirror, "ca-certificates", {"./usr/share/ca-certificates/a.crt": certificate}),
    )
    file = tmp_path / "bazel.lock.json"
    write_lock(file, Lock("bazel", packages, exclude=("usr/share/doc",), links={"usr/bin/awk": "mawk"}))
    return file


def test_a_root_is_made_whole(lock: Path, tmp_path: Path) -> None:
    root = tmp_path / "cache/root"
    install.install(str(lock), str(root))
    assert (root / "usr/bin/bazel").read_bytes() == b"#!/bin/sh\n"
    assert not (root / "usr/share/doc").exists()
    assert (root / "usr/share/bazel/libnetty_tcnative.so").read_bytes() == b"tls"
    assert not (root / "usr/share/bazel/libnetty_tcnative.so").is_symlink()
    assert (root / "usr/bin/awk").readlink() == Path("mawk")
    assert (root / "etc/resolv.conf").readlink() == Path(f"{enter.HOST_ETC_PLACE}/resolv.conf")
    assert "BEGIN CERTIFICATE" in (root / enter.BUNDLE[1:]).read_text()
    assert "--server_javabase" in (root / "etc/bazel/bazelrc").read_text()
    assert sorted(path.name for path in root.parent.iterdir()) == ["root", "root.lock"]


def test_a_start_goes_on_after_an_interrupted_one(lock: Path, tmp_path: Path) -> None:
    root = tmp_path / "cache/root"
    good = (tmp_path / "debian/ca-certificates.deb").read_bytes()
    (tmp_path / "debian/ca-certificates.deb").unlink()
    with pytest.raises(UserError, match="ca-certificates 1"):
        install.install(str(lock), str(root))
    assert not root.exists()
    (tmp_path / "debian/bazel-bootstrap.deb").unlink()  # it is here already
    (tmp_path / "debian/ca-certificates.deb").write_bytes(good)
    done = list((tmp_path / "cache/root.partial/debs").glob("*.done"))
    if not done:  # the failure came before the other was complete
        pytest.fail("the package that was unpacked was not kept")
    install.install(str(lock), str(root))
    assert (root / "usr/bin/bazel").exists()


def test_a_full_disk_leaves_nothing(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(unpack, "unpack", full)
    with pytest.raises(UserError, match="no space left.*XDG_CACHE_HOME"):
        install.install(str(lock), str(tmp_path / "cache/root"))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["root.lock"]


def test_a_lock_without_bazel_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = tmp_path / "debian"
    mirror.mkdir()
    monkeypatch.setenv("DEBIAN_MIRRORS", f"file://{mirror}")
    file = tmp_path / "bazel.lock.json"
    write_lock(file, Lock("bazel", (_package(mirror, "hello", {"./usr/bin/hello": b""}),)))
    with pytest.raises(UserError, match="no package of it has /usr/bin/bazel"):
        install.install(str(file), str(tmp_path / "cache/root"))
    assert not (tmp_path / "cache/root").exists()


def test_a_second_start_waits_for_the_first(lock: Path, tmp_path: Path) -> None:
    root = tmp_path / "cache/root"
    root.parent.mkdir()
    with (tmp_path / "cache/root.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        program = f"from tools.launcher.install import install; install({str(lock)!r}, {str(root)!r})"
        command = [sys.executable, "-c", program]
        with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True) as second:
            assert second.stderr is not None
            assert "waiting for another bazelw" in second.stderr.readline()
            time.sleep(0.2)
            assert second.poll() is None
            assert not root.exists()
            fcntl.flock(held, fcntl.LOCK_UN)
            second.stderr.read()
            assert second.wait(30) == 0
    assert (root / "usr/bin/bazel").exists()
