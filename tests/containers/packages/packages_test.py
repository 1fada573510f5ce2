"""Packages as layers: owners, users, dpkg's own view of the result, and the same bytes from two actions."""

import gzip
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools.lib.locks import read_lock

ONCE, AGAIN = "containers/redis/packages", "tests/containers/packages/again"
PACKAGES = Path("../container_packages")
# What configuring changes of what every image has.
EVERY = PACKAGES / "containers-configured"
BWRAP, TAR = (str(Path("../tool_runtime/bin", name).absolute()) for name in ("bwrap", "tar"))
LOCKED = read_lock(Path("roots/containers.lock.json")).packages


def metadata(name: str) -> dict[str, object]:
    content: dict[str, object] = json.loads(Path(f"{name}.layer.json").read_text())
    return content


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All the layers, one over the other, as a runtime lays them."""
    folder = tmp_path_factory.mktemp("tree")
    words = [TAR, "-xpf", "-", "-C", str(folder), "--no-same-owner"]
    base = [PACKAGES / "containers-every-image.tar.gz", Path(f"{EVERY}.tar.gz")]
    others = [blob for blob in sorted(PACKAGES.glob("*.tar.gz")) if blob not in base]
    for blob in [*base, *others, Path(f"{ONCE}.tar.gz")]:
        subprocess.run(words, input=gzip.decompress(blob.read_bytes()), check=True)
    return folder


def inside(tree: Path, *command: str) -> str:
    words = [BWRAP, "--unshare-all", "--uid", "0", "--gid", "0", "--bind", str(tree), "/", "--dev", "/dev"]
    words += ["--proc", "/proc", "--clearenv", "--setenv", "PATH", "/usr/sbin:/usr/bin", "--chdir", "/", "--"]
    done = subprocess.run([*words, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_same_bytes_twice() -> None:
    once, again = metadata(ONCE), metadata(AGAIN)
    assert once["digest"] == again["digest"]
    assert once["name"] != again["name"]


def test_owners_and_modes() -> None:
    layers = [json.loads(Path(f"{name}.contents.json").read_text()) for name in (EVERY, ONCE)]
    entries = [entry for layer in layers for entry in layer["entries"]]
    found = {entry["path"]: (entry["mode"], entry["uid"], entry["gid"]) for entry in entries}
    accounts = json.loads(Path(f"{ONCE}.accounts.json").read_text())
    uid, gid = accounts["users"]["redis"]
    assert found["etc/shadow"] == ("0640", 0, accounts["groups"]["shadow"])
    assert found["var/mail"] == ("2775", 0, accounts["groups"]["mail"])
    assert found["var/lib/redis"] == ("0750", uid, gid)
    assert found["etc/redis/redis.conf"] == ("0640", uid, gid)
    with tarfile.open(PACKAGES / "passwd.tar.gz") as archive:
        chage = archive.getmember("usr/bin/chage")
        assert (oct(chage.mode), chage.uid, chage.gid) == ("0o2755", 0, accounts["groups"]["shadow"])


def test_nothing_of_the_build_is_left() -> None:
    contents = json.loads(Path(f"{ONCE}.contents.json").read_text())
    paths = [entry["path"] for entry in contents["entries"]]
    folders = ("build/", "forge/", "out/", "run/", "tmp/", "dev/", "proc/")
    assert not [path for path in paths if path.startswith(folders)]
    assert not [path for path in paths if path.endswith((".log", "-old", ".dpkg-new", "policy-rc.d", "aux-cache"))]


def test_dpkg_sees_every_package(tree: Path) -> None:
    said = inside(tree, "dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\\n")
    wanted = [f"{each.name} {each.version} installed" for each in LOCKED if each.layer in ("", "redis")]
    assert sorted(said.split("\n")[:-1]) == sorted(wanted)
    assert inside(tree, "dpkg", "--audit") == ""


def test_every_file_is_the_package_s(tree: Path) -> None:
    """What differs is documentation, which is left out."""
    wrong = [line for line in inside(tree, "dpkg", "--verify").splitlines() if "/usr/share/" not in line]
    assert wrong == []


def test_the_scripts_have_run(tree: Path) -> None:
    assert inside(tree, "awk", "BEGIN { print 6 * 7 }") == "42\n"
    assert "redis" in inside(tree, "id", "redis")
    assert "libssl.so.3" in inside(tree, "ldconfig", "-p")
    assert "v=" in inside(tree, "redis-server", "--version")
    assert (tree / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100000
