"""Locking with real apt and gpg, against a small signed archive on loopback."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.roots.signed_archive import Key, entry, publish, serve
from tools.roots.update import main

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("gpg", "gpgconf", "apt-get"))), reason="needs gpg and apt: run it in their root"
)

SUITES = ("bookworm", "bookworm-updates", "bookworm-backports")
PACKAGES = [
    entry("compiler", "12.2-1", "runtime (>= 1), dash"),
    entry("dash", "0.5"),
    entry("runtime", "1.0"),
    entry("builder", "4.0", "compiler, interpreter"),
    entry("interpreter", "1:3.11"),
    entry("broken", "1", "nowhere (>= 2)"),
]
SECURITY = [entry("runtime", "1.0+deb12u1", archive="debian-security")]
BACKPORTS = [entry("compiler", "14.1-1", "runtime"), entry("novelty", "1")]
SPEC = "suite: bookworm\npackages:\n  - compiler\nextras: {scons: [builder]}\nlinks: {usr/bin/cc: gcc}\n"


class Site:
    """A mirror, a checkout with one root, and what locks it."""

    def __init__(self, folder: Path, url: str, key: Key) -> None:
        self.folder, self.url, self.key = folder, url, key
        (folder / "checkout/roots").mkdir(parents=True)
        self.write(SPEC)
        self.publish()

    def write(self, spec: str) -> None:
        (self.folder / "checkout/roots/demo.yaml").write_text(spec)

    def publish(self, key: Key | None = None, valid_until: str = "") -> None:
        key = key or self.key
        publish(self.folder / "web/debian", "bookworm", PACKAGES, key, valid_until)
        publish(self.folder / "web/debian", "bookworm-updates", [], key, valid_until)
        publish(self.folder / "web/debian", "bookworm-backports", BACKPORTS, key, valid_until)
        publish(self.folder / "web/debian-security", "bookworm-security", SECURITY, key, valid_until)

    def update(self, *words: str) -> str:
        main([*words, "--workspace", str(self.folder / "checkout"), "--keyring", str(self.key.keyring)])
        return self.lock.read_text()

    @property
    def lock(self) -> Path:
        return self.folder / "checkout/roots/demo.lock.json"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Key, Key]]:
    folder = tmp_path_factory.mktemp("keys")
    pair = Key(folder / "right"), Key(folder / "wrong")
    yield pair
    for key in pair:
        key.close()


@pytest.fixture
def site(tmp_path: Path, keys: tuple[Key, Key], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with serve(tmp_path / "web") as url:
        monkeypatch.setenv("DEBIAN_MIRRORS", f"{url}/debian")
        yield Site(tmp_path, url, keys[0])


def packages_of(text: str) -> list[tuple[str, str, str, str]]:
    return [
        (package.get("layer", ""), package["name"], package["version"], package["archive"])
        for package in json.loads(text)["packages"]
    ]


def test_the_lock_is_what_apt_would_install(site: Site) -> None:
    assert packages_of(site.update("demo")) == [
        ("", "compiler", "12.2-1", "debian"),
        ("", "dash", "0.5", "debian"),
        ("", "runtime", "1.0+deb12u1", "debian-security"),
        ("scons", "builder", "4.0", "debian"),
        ("scons", "interpreter", "1:3.11", "debian"),
    ]


def test_two_runs_give_the_same_file_without_a_host(site: Site) -> None:
    first = site.update()
    assert site.update() == first
    assert "127.0.0.1" not in first
    package = json.loads(first)["packages"][0]
    assert package["path"] == "pool/main/c/compiler/compiler_12.2-1_amd64.deb"
    assert package["size"] == 1000 and len(package["sha256"]) == 64
    assert json.loads(first)["links"] == {"usr/bin/cc": "gcc"}


def test_a_pocket_serves_what_the_suite_lacks_or_what_is_asked_for(site: Site) -> None:
    site.write("suite: bookworm\npockets: [bookworm-backports]\npackages: [compiler, novelty]\n")
    assert ("", "compiler", "12.2-1", "debian") in packages_of(site.update())
    site.write("suite: bookworm\npockets: [bookworm-backports]\npackages: [compiler/bookworm-backports, novelty]\n")
    assert ("", "compiler", "14.1-1", "debian") in packages_of(site.update())


def test_dependencies_taken_as_given_are_left_out(site: Site) -> None:
    site.write("suite: bookworm\npackages: [builder]\nwithout: [compiler]\n")
    assert [name for _, name, _, _ in packages_of(site.update())] == ["builder", "interpreter"]


def test_a_release_past_its_date_is_accepted(site: Site) -> None:
    site.publish(valid_until="Thu, 02 Jan 2025 00:00:00 UTC")
    assert packages_of(site.update())


def test_an_unsigned_index_is_refused(site: Site) -> None:
    publish(site.folder / "web/debian", "bookworm-updates", [], None)
    with pytest.raises(UserError, match=r"the index of bookworm-updates at http://127\S+/debian is not signed"):
        site.update()
    assert not site.lock.exists()


def test_a_wrongly_signed_index_is_refused(site: Site, keys: tuple[Key, Key]) -> None:
    publish(site.folder / "web/debian-security", "bookworm-security", SECURITY, keys[1])
    with pytest.raises(UserError, match=r"the index of bookworm-security at http://127\S+ isn't signed by a key of"):
        site.update()
    assert not site.lock.exists()


def test_an_index_that_was_changed_after_signing_is_refused(site: Site) -> None:
    index = site.folder / "web/debian/dists/bookworm/main/binary-amd64/Packages"
    index.write_text(index.read_text().replace("12.2-1", "12.2-2"))
    with pytest.raises(UserError, match=r"no mirror of the archive 'debian' serves bookworm"):
        site.update()


def test_the_second_mirror_is_tried(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEBIAN_MIRRORS", f"http://127.0.0.1:1/debian {site.url}/debian")
    assert packages_of(site.update())
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 2, "one line for each of the two archives"
    assert "mirror http://127.0.0.1:1/debian:" in warnings[0]
    assert f"trying {site.url}/debian" in warnings[0]


def test_no_mirror_answers(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBIAN_MIRRORS", "http://127.0.0.1:1/debian")
    with pytest.raises(UserError, match=r'(?s)no mirror of the archive .debian.*DEBIAN_MIRRORS="URL URL"'):
        site.update()


def test_a_suite_that_the_mirror_lacks(site: Site) -> None:
    site.write("suite: sid\npackages: [compiler]\n")
    with pytest.raises(UserError, match="no mirror of the archive 'debian' serves sid"):
        site.update()


def test_an_unknown_package_is_named_with_its_line(site: Site) -> None:
    site.write("suite: bookworm\npackages:\n  - dash\n  - compilers\n")
    with pytest.raises(UserError, match=r"demo\.yaml:4: no package 'compilers' in bookworm.*near names: compiler"):
        site.update()


def test_what_cannot_be_satisfied_is_explained(site: Site) -> None:
    site.write("suite: bookworm\npackages: [broken]\n")
    with pytest.raises(UserError, match=r"(?s)demo\.yaml:2: .*can't be installed together.*broken : Depends: nowhere"):
        site.update()


def test_one_bad_root_leaves_all_locks_alone(site: Site) -> None:
    before = site.update()
    (site.folder / "checkout/roots/bad.yaml").write_text("suite: bookworm\npackages: [nothing-like-it]\n")
    site.write(SPEC.replace("compiler", "dash"))
    with pytest.raises(UserError, match="nothing-like-it"):
        site.update()
    assert site.lock.read_text() == before
