"""Finding kernels in index entries like Debian's, and keeping the catalogue's files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tools.kernels.catalogue import (
    Kernel,
    Published,
    find_kernels,
    package_key,
    read_catalogue,
    release_order,
    write_catalogue,
)
from tools.lib.errors import UserError
from tools.lib.locks import Package

# What bookworm, bookworm-security, trixie-backports and bullseye-security publish, cut short.
OLD = "linux-headers-6.1.0-50-common (= 6.1.176-1), linux-kbuild-6.1 (>= 6.1.176-1), linux-compiler-gcc-12-x86"
NEW = "linux-headers-6.1.0-53-common-rt (= 6.1.187-1), linux-kbuild-6.1 (>= 6.1.187-1), linux-compiler-gcc-12-x86"
ELEVEN = "linux-headers-6.1.0-0.deb11.52-common (= 6.1.180-1~deb11u1), linux-kbuild-6.1 (>= 6.1.180-1~deb11u1), " \
    "linux-compiler-gcc-10-x86"
SEVEN = "gcc-14-for-host, linux-base (>= 4.12~), linux-base-7.2.9+deb13-amd64 (= 7.2.9-1~bpo13+1), " \
    "linux-headers-7.2.9+deb13-common (= 7.2.9-1~bpo13+1), linux-kbuild-7.2.9+deb13"
PUBLISHED = [
    Published("linux-headers-6.1.0-50-amd64", "6.1.176-1", OLD, "bookworm"),
    Published("linux-headers-6.1.0-50-common", "6.1.176-1", "", "bookworm"),
    Published("linux-image-6.1.0-50-amd64", "6.1.176-1", "kmod, linux-base (>= 4.3~)", "bookworm"),
    Published("linux-headers-6.1.0-53-rt-amd64", "6.1.187-1", NEW, "bookworm-security"),
    Published("linux-headers-6.1.0-53-common-rt", "6.1.187-1", "", "bookworm-security"),
    Published("linux-kbuild-6.1", "6.1.192-2", "", "bookworm-security"),
    Published("linux-kbuild-6.1", "6.1.180-1~deb11u1", "", "bullseye-security"),
    Published("linux-kbuild-6.1", "6.1.176-1", "", "bookworm"),
    Published("linux-headers-6.1.0-0.deb11.52-cloud-amd64", "6.1.180-1~deb11u1", ELEVEN, "bullseye-security"),
    Published("linux-headers-6.1.0-0.deb11.52-common", "6.1.180-1~deb11u1", "", "bullseye-security"),
    Published("linux-headers-7.2.9+deb13-amd64", "7.2.9-1~bpo13+1", SEVEN, "trixie-backports"),
    Published("linux-headers-7.2.9+deb13-common", "7.2.9-1~bpo13+1", "", "trixie-backports"),
    Published("linux-kbuild-7.2.9+deb13", "7.2.9-1~bpo13+1", "pahole", "trixie-backports"),
    Published("linux-base-7.2.9+deb13-amd64", "7.2.9-1~bpo13+1", "", "trixie-backports"),
    Published(
        "linux-image-7.2.9+deb13-amd64",
        "7.2.9-1~bpo13+1",
        "linux-base-7.2.9+deb13-amd64 (= 7.2.9-1~bpo13+1), linux-binary-7.2.9+deb13-amd64 (= 7.2.9-1~bpo13+1), "
        "linux-modules-7.2.9+deb13-amd64 (= 7.2.9-1~bpo13+1)",
        "trixie-backports",
    ),
    Published("linux-binary-7.2.9+deb13-amd64", "7.2.9-1~bpo13+1", "", "trixie-backports"),
    Published("linux-modules-7.2.9+deb13-amd64", "7.2.9-1~bpo13+1", "kmod", "trixie-backports"),
    Published("linux-headers-6.1-amd64", "6.1.180-1", "linux-headers-6.1.0-0.deb11.52-amd64", "bullseye-security"),
    Published("linux-headers-amd64", "6.1.176-1", "linux-headers-6.1.0-50-amd64", "bookworm"),
]


def find() -> dict[str, Kernel]:
    kernels, left_out = find_kernels(PUBLISHED)
    assert left_out == []
    return {kernel.release: kernel for kernel in kernels}


def test_metapackages_are_no_kernels_and_order_is_by_number() -> None:
    assert list(find()) == [
        "6.1.0-0.deb11.52-cloud-amd64",
        "6.1.0-50-amd64",
        "6.1.0-53-rt-amd64",
        "7.2.9+deb13-amd64",
    ]
    assert sorted(["6.1.0-10-amd64", "6.1.0-9-amd64"], key=release_order)[0] == "6.1.0-9-amd64"


def test_a_kernel_of_a_stable_suite() -> None:
    assert find()["6.1.0-50-amd64"] == Kernel(
        release="6.1.0-50-amd64",
        flavour="amd64",
        suite="bookworm",
        compiler="gcc-12",
        root="kbuild-bookworm",
        headers=(
            "linux-headers-6.1.0-50-amd64=6.1.176-1",
            "linux-headers-6.1.0-50-common=6.1.176-1",
            "linux-kbuild-6.1=6.1.176-1",
        ),
        image=("linux-image-6.1.0-50-amd64=6.1.176-1",),
    )


def test_kbuild_is_the_newest_of_the_same_distribution_when_its_own_is_gone() -> None:
    assert "linux-kbuild-6.1=6.1.192-2" in find()["6.1.0-53-rt-amd64"].headers
    eleven = find()["6.1.0-0.deb11.52-cloud-amd64"]
    assert "linux-kbuild-6.1=6.1.180-1~deb11u1" in eleven.headers
    assert (eleven.line, eleven.flavour, eleven.compiler, eleven.root) == (
        "6.1", "cloud-amd64", "gcc-10", "kbuild-bullseye",
    )  # fmt: skip


def test_a_kernel_whose_image_is_in_parts() -> None:
    kernel = find()["7.2.9+deb13-amd64"]
    assert kernel.compiler == "gcc-14" and kernel.root == "kbuild-trixie"
    assert "linux-base-7.2.9+deb13-amd64=7.2.9-1~bpo13+1" in kernel.headers
    names = [key.partition("-7.2.9")[0] for key in kernel.image]
    assert names == ["linux-base", "linux-binary", "linux-image", "linux-modules"]


def test_a_kernel_before_its_signed_image_has_the_unsigned_one() -> None:
    published = [
        replace(package, name=package.name.replace("linux-binary", "linux-binary-unsigned"))
        for package in PUBLISHED
        if not package.name.startswith("linux-image-7")
    ]
    kernels, _ = find_kernels(published)
    names = [key.partition("-7.2.9")[0] for key in kernels[-1].image]
    assert names == ["linux-binary-unsigned", "linux-modules"]


def test_a_kernel_without_its_common_headers_is_left_out_with_the_reason() -> None:
    published = [package for package in PUBLISHED if package.name != "linux-headers-6.1.0-50-common"]
    kernels, left_out = find_kernels(published)
    assert "6.1.0-50-amd64" not in [kernel.release for kernel in kernels]
    assert left_out == [
        "linux-headers-6.1.0-50-amd64=6.1.176-1 needs linux-headers-6.1.0-50-common = 6.1.176-1, which is not published"
    ]


def locked(kernels: list[Kernel]) -> dict[str, Package]:
    packages = {}
    for key in {key for kernel in kernels for key in (*kernel.headers, *kernel.image)}:
        name, _, version = key.partition("=")
        packages[key] = Package("", name, version, "amd64", "0" * 64, 1, "debian", f"pool/{name}.deb")
    return packages


def test_files_are_kept_as_they_are(tmp_path: Path) -> None:
    added = Kernel("5.15.0-91-generic", "generic", "", "gcc-12", "kbuild-bookworm", (), origin="url")
    kernels = [*find().values(), added]
    packages = locked(kernels)
    unused = Package("", "unused", "1", "all", "0" * 64, 1, "debian", "pool/unused.deb")
    write_catalogue(tmp_path, kernels, packages | {package_key(unused): unused})
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    again, packages_again = read_catalogue(tmp_path)
    assert again[0].origin == "url" and sorted(map(repr, again)) == sorted(map(repr, kernels))
    assert packages_again == packages, "only what a kernel names is locked"
    write_catalogue(tmp_path, list(reversed(again)), packages_again)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first
    assert json.loads(first["catalogue.json"])["kernels"][2]["line"] == "6.1"


def test_no_catalogue_yet(tmp_path: Path) -> None:
    assert read_catalogue(tmp_path) == ([], {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema": 1,\n', r"catalogue\.json:2: not JSON"),
        ('{"schema": 2, "kernels": []}', "expected a catalogue with schema 1"),
        ('{"schema": 1, "kernels": [{"release": "1"}]}', "an entry is not as expected"),
        ('[]', "an entry is not as expected"),
    ],
)
def test_a_broken_catalogue_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "catalogue.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read_catalogue(tmp_path)
