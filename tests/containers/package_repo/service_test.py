"""package-repo in a container, with apt and dnf as its clients: our package wins over a higher version elsewhere."""

import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.containers.built_image import Image
from tests.containers.daemon import RUNFILES
from tests.containers.docker_client import loaded, wait_for
from tools.roots.run_in_root import unpack

IMAGE = Image()
RUNTIME = RUNFILES.parent / "tool_runtime"
OURS, OTHER = "R1.0", "other"
# A container gets its key from a variable, because the daemon may have no file of this machine.
START = """
umask 077; printf %s "$KEY" >/tmp/key; unset KEY
exec /usr/local/bin/entrypoint.sh
"""
SIGNING = {"PACKAGE_REPO_KEY_FILE": "/tmp/key"}


class Clients:
    """The root with apt, dnf and gpg, which belongs to the test and has its network."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "clients"
        unpack(str(RUNTIME), str(RUNFILES / "roots/package-clients.tar"), self.tree)
        for name in ("proc", "dev", "tmp", "forge", "etc/apt/keyrings", "etc/yum.repos.d", "var/lib/dpkg"):
            (self.tree / name).mkdir(exist_ok=True, parents=True)
        (self.tree / "var/lib/dpkg/status").touch()
        (self.tree / "etc/passwd").write_text("root:x:0:0:root:/forge:/bin/sh\n")
        (self.tree / "etc/group").write_text("root:x:0:\n")

    def run(self, *command: str, code: int | None = 0) -> str:
        """What a command printed; it must end with this code, or with another than 0 if that is None."""
        words = [
            *(str(RUNTIME / "bin/bwrap"), "--die-with-parent", "--unshare-user", "--uid", "0", "--gid", "0"),
            *("--unshare-pid", "--bind", str(self.tree), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
            *("--chdir", "/forge", "--clearenv", "--setenv", "HOME", "/forge", "--setenv", "LC_ALL", "C.UTF-8"),
            *("--setenv", "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "--", *command),
        ]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode != 0 if code is None else done.returncode == code, (
            f"{command}: {done.stdout}{done.stderr}"
        )
        return done.stdout

    def make_key(self, password: str = "") -> tuple[str, str]:
        """A new private key and its public key."""
        home = f"/forge/gnupg{len(list((self.tree / 'forge').glob('gnupg*')))}"
        (self.tree / home[1:]).mkdir(mode=0o700)
        (self.tree / "forge/password").write_text(password)
        gpg = f"gpg --homedir {home} --batch --quiet --pinentry-mode loopback --passphrase-file /forge/password"
        script = f"""{gpg} --quick-generate-key 'Packages <packages@example.com>' ed25519 sign never &&
            {gpg} --armor --export-secret-keys > {home}/private && {gpg} --armor --export > {home}/public"""
        self.run("sh", "-c", script)
        private, public = ((self.tree / home[1:] / name).read_text() for name in ("private", "public"))
        return private, public


@dataclass
class Server:
    """The container that serves, its address, and clients that know of nothing but it."""

    container: Any
    url: str
    clients: Clients
    start: Callable[..., Any]
    private: str
    public: str

    def get(self, path: str) -> bytes:
        """What is at a path."""
        with urllib.request.urlopen(f"{self.url}/{path}") as answer:
            content: bytes = answer.read()
            return content


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    clients = Clients(tmp_path_factory.mktemp("clients"))
    private, public = clients.make_key()
    with loaded(IMAGE, tmp_path_factory.mktemp("docker")) as (client, daemon):

        def start(key: str, network: str = "none", **environment: str) -> Any:
            return client.containers.run(
                IMAGE.tag,
                detach=True,
                entrypoint=["/bin/sh", "-c", START],
                environment={"KEY": key, **environment},
                network_mode=network,
            )

        url = f"http://127.0.0.1:{daemon.forward(8080)}"
        container = start(private, network="host", PACKAGE_REPO_URL=url, **SIGNING)
        started = Server(container, url, clients, start, private, public)

        def answers() -> bool:
            with suppress(OSError):
                return bool(started.get("key.asc"))
            return False

        wait_for("nginx answers", answers, container)
        yield started
        container.remove(force=True)


def test_apt_takes_ours(server: Server) -> None:
    apt = server.clients.tree / "etc/apt"
    update = ("apt-get", "-o", "APT::Sandbox::User=root", "-o", "APT::Update::Error-Mode=any", "-q", "update")
    (apt / "keyrings/contrail-forge.asc").write_bytes(server.get("key.asc"))
    for name in (OURS, OTHER):
        (apt / "sources.list.d").mkdir(exist_ok=True)
        (apt / f"sources.list.d/{name}.sources").write_bytes(server.get(f"{name}/trixie/apt.sources"))
    server.clients.run(*update)
    work = server.clients.tree / "forge"
    for preferences, file in ((b"", "other-deb.deb"), (server.get(f"{OURS}/trixie/apt.pref"), "ours-deb.deb")):
        (apt / "preferences.d").mkdir(exist_ok=True)
        (apt / "preferences.d/contrail-forge.pref").write_bytes(preferences)
        server.clients.run("apt-get", "-o", "APT::Sandbox::User=root", "-q", "download", "forge-hello")
        (taken,) = work.glob("*.deb")
        assert taken.read_bytes() == Path("tests/packages", file).read_bytes()
        taken.unlink()
    # What is installed gives way, too.
    status = server.clients.tree / "var/lib/dpkg/status"
    fields = {"Package": "forge-hello", "Status": "install ok installed", "Version": "2.0", "Architecture": "all"}
    fields |= {"Maintainer": "A Test <test@example.com>", "Description": "from elsewhere"}
    status.write_text("".join(f"{name}: {value}\n" for name, value in fields.items()) + "\n")
    simulated = server.clients.run("apt-get", "--simulate", "--allow-downgrades", "upgrade")
    assert "Inst forge-hello [2.0] (1.0 " in simulated
    # A key that didn't sign isn't enough.
    (apt / "keyrings/contrail-forge.asc").write_text(server.clients.make_key()[1])
    server.clients.run(*update, code=None)


def test_dnf_takes_ours(server: Server) -> None:
    folder = server.clients.tree / "etc/yum.repos.d"
    ours = server.get(f"{OURS}/el9/yum.repo").decode()
    other = server.get(f"{OTHER}/el9/yum.repo").decode().replace("priority=1\n", "")
    assert "\npriority=1\n" in ours and "\nrepo_gpgcheck=1\n" in ours
    (folder / "other.repo").write_text(other)
    for name, snippet, text in (("a", ours.replace("priority=1\n", ""), "from elsewhere"), ("b", ours, "ours")):
        (folder / "ours.repo").write_text(snippet)
        # The folder of the repositories is the client's own, not that of the new tree.
        server.clients.run(
            *("dnf", "-y", "-q", f"--installroot=/forge/{name}", "--releasever=9"),
            *("--setopt=reposdir=/etc/yum.repos.d", "install", "forge-hello"),
        )
        assert (server.clients.tree / f"forge/{name}/usr/share/forge-hello/text").read_text() == f"{text}\n"


def test_dnf_refuses_a_key_that_didn_t_sign(server: Server) -> None:
    other = server.clients.tree / "forge/other.asc"
    other.write_text(server.clients.make_key()[1])
    wrong = server.get(f"{OURS}/el9/yum.repo").decode().replace(f"{server.url}/key.asc", "file:///forge/other.asc")
    (server.clients.tree / "forge/wrong").mkdir()
    (server.clients.tree / "forge/wrong/ours.repo").write_text(wrong)
    options = ("-y", "-q", "--installroot=/forge/c", "--releasever=9", "--setopt=reposdir=/forge/wrong")
    server.clients.run("dnf", *options, "install", "forge-hello", code=1)


def test_the_key_stays_with_sqop(server: Server) -> None:
    secret = server.private.splitlines()[3]
    # Whoever looks has the container's variables himself.
    look = """for pid in $(pidof nginx); do cat /proc/$pid/cmdline /proc/$pid/environ; done
        cat /run/package-repo/nginx.conf; grep -r . /run/package-repo/signed"""
    seen = server.container.exec_run(["sh", "-c", look]).output.decode(errors="replace")
    assert "nginx" in seen and "InRelease" in seen
    assert secret not in seen and secret not in server.container.logs().decode()
    assert server.get("key.asc").decode().startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")


def test_a_key_with_a_password_is_refused(server: Server) -> None:
    private, _ = server.clients.make_key("a pass phrase")
    container = server.start(private, **SIGNING)
    assert container.wait()["StatusCode"] == 64
    assert (
        "error: PACKAGE_REPO_KEY_FILE='/tmp/key': expected an OpenPGP private key without a"
        in container.logs().decode()
    )
    container.remove(force=True)


@pytest.mark.parametrize(
    ("key", "environment", "message"),
    [
        ("", {}, "PACKAGE_REPO_KEY_FILE='': expected a file with an OpenPGP private key"),
        ("", {"PACKAGE_REPO_KEY_FILE": "/none"}, "PACKAGE_REPO_KEY_FILE='/none': expected a file"),
        (
            "no key",
            SIGNING,
            "PACKAGE_REPO_KEY_FILE='/tmp/key': expected a file with an OpenPGP private key that can sign",
        ),
        (
            "public",
            SIGNING,
            "PACKAGE_REPO_KEY_FILE='/tmp/key': expected a file with an OpenPGP private key that can sign",
        ),
        ("private", {**SIGNING, "PACKAGE_REPO_PORT": "70000"}, "PACKAGE_REPO_PORT='70000': expected a number from 1"),
        ("private", {**SIGNING, "PACKAGE_REPO_URL": "here"}, "PACKAGE_REPO_URL='here': expected the address"),
    ],
)
def test_a_wrong_variable_is_named(server: Server, key: str, environment: dict[str, str], message: str) -> None:
    container = server.start({"private": server.private, "public": server.public}.get(key, key), **environment)
    assert container.wait()["StatusCode"] == 64
    assert f"error: {message}" in container.logs().decode()
    container.remove(force=True)


def test_it_is_well_and_ends_when_it_is_told_to(server: Server) -> None:
    deadline = time.monotonic() + 300
    while server.container.attrs["State"]["Health"]["Status"] != "healthy":
        assert time.monotonic() < deadline, server.container.attrs["State"]["Health"]
        time.sleep(0.2)
        server.container.reload()
    server.container.stop(timeout=120)
    assert server.container.wait()["StatusCode"] == 0
