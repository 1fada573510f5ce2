"""Mirrors from the setting and from apt's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.roots.mirrors import Mirrors, find_mirrors


def test_setting_brings_its_security_sibling() -> None:
    mirrors = find_mirrors({"DEBIAN_MIRRORS": "http://a.test/debian/ http://b.test/debian"})
    assert mirrors.debian == ("http://a.test/debian", "http://b.test/debian")
    assert mirrors.security == ("http://a.test/debian-security", "http://b.test/debian-security")


def test_setting_with_an_explicit_security_archive() -> None:
    mirrors = find_mirrors({"DEBIAN_MIRRORS": "http://a.test/debian http://s.test/x-security"})
    assert mirrors == Mirrors(("http://a.test/debian",), ("http://s.test/x-security",))


@pytest.mark.parametrize("value", ["a.test/debian", "http://s.test/x-security"])
def test_a_setting_that_names_no_mirror_is_refused(value: str) -> None:
    with pytest.raises(UserError, match="DEBIAN_MIRRORS"):
        find_mirrors({"DEBIAN_MIRRORS": value})


def test_apt_configuration_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(
        "# deb http://comment.test/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k] http://one.test/debian bookworm main\n"
        "deb http://one.test/debian bookworm-updates main\n"
        "deb-src http://source.test/debian bookworm main\n"
        "deb http://else.test/apt bookworm main\n"
    )
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\n# deb http://comment.test\nURIs: http://two.test/debian/\nSuites: trixie\n trixie-updates\n"
        "Components: main\n\n"
        "Types: deb\nURIs: http://two.test/debian-security\nSuites: trixie-security\n\n"
        "Types: deb\nEnabled: no\nURIs: http://off.test/debian\nSuites: sid\n\n"
        "Types: deb\nURIs: http://vendor.test/debian\nSuites: nodistro\n"
    )
    mirrors = find_mirrors({}, tmp_path)
    assert mirrors.debian == ("http://one.test/debian", "http://two.test/debian")
    assert mirrors.security == ("http://two.test/debian-security",)
    assert mirrors.urls("debian", "pool/x.deb")[1] == "http://two.test/debian/pool/x.deb"
    assert mirrors.urls("debian-security", "p") == ("http://two.test/debian-security/p",)


def test_no_mirror_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='DEBIAN_MIRRORS="http'):
        find_mirrors({}, tmp_path)
