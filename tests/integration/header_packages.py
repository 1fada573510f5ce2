"""Header packages in the forms of other distributions, made from a real Debian kernel's headers.

Ubuntu splits them in two: linux-headers-RELEASE has what is made for one flavour, with the
programs under scripts/ and tools/, and links into the `_all` package for the rest. An RPM
distribution has all in one folder in kernel-devel.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.integration.workspace import runfile

RUNTIME = runfile("../tool_runtime/bin/bwrap").parents[1]


def _unpack(headers: Path, folder: Path) -> tuple[Path, Path, Path]:
    """Unpack Debian headers; the folders of the flavour, of what is common, and of kbuild's programs."""
    folder.mkdir()
    subprocess.run([RUNTIME / "bin/tar", "-xf", headers, "-C", folder, "--no-same-owner"], check=True)
    (common,) = folder.glob("usr/src/linux-headers-*-common")
    (flavour,) = [path for path in folder.glob("usr/src/linux-headers-*") if path != common]
    (kbuild,) = folder.glob("usr/lib/linux-kbuild-*")
    for tree in (flavour, common):
        for name in ("scripts", "tools"):
            (tree / name).unlink(missing_ok=True)
    for name in ("scripts", "tools"):
        (kbuild / name).rename(flavour / name)
    # Debian's own way to the common folder, and its choice of compiler.
    (flavour / "Makefile").unlink()
    (flavour / ".kernelvariables").unlink(missing_ok=True)
    return flavour, common, kbuild


def _rename(tree: Path, release: str) -> None:
    """Give the kernel another release, where kbuild looks for it."""
    (tree / "include/config/kernel.release").write_text(f"{release}\n")
    header = tree / "include/generated/utsrelease.h"
    header.write_text(re.sub(r'(UTS_RELEASE) "[^"]*"', rf'\1 "{release}"', header.read_text()))


def _link_missing(flavour: Path, common: Path, to_common: str) -> None:
    """Link what only `common` has into `flavour`; `to_common` is the relative way there."""
    for path in common.iterdir():
        there = flavour / path.name
        if not there.exists():
            there.symlink_to(f"{to_common}/{path.name}")
        elif path.is_dir():
            _link_missing(there, path, f"../{to_common}/{path.name}")


def _deb(tree: Path, folder: Path, name: str, version: str, arch: str) -> Path:
    """Make a .deb of what is in `tree`."""
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\n"
        "Maintainer: A Test <test@example.com>\nDescription: headers\n"
    )
    file = folder / f"{name}_{version}_{arch}.deb"
    subprocess.run(
        [RUNTIME / "bin/dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, file],
        env={"PATH": f"{RUNTIME}/bin:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return file


def ubuntu_pair(headers: Path, folder: Path, base: str, flavour: str) -> list[Path]:
    """The two .debs of the release BASE-FLAVOUR (for example 6.1.0-9-generic), for amd64 and `_all`."""
    folder.mkdir()
    release = f"{base}-{flavour}"
    own, common, _ = _unpack(headers, folder / "unpacked")
    _rename(own, release)
    _link_missing(own, common, f"../linux-headers-{base}")
    for tree, name in ((own, release), (common, base)):
        (folder / name / "usr/src").mkdir(parents=True)
        tree.rename(folder / name / f"usr/src/linux-headers-{name}")
    modules = folder / release / "lib/modules" / release
    modules.mkdir(parents=True)
    (modules / "build").symlink_to(f"/usr/src/linux-headers-{release}")
    version = f"{base}.9"
    return [
        _deb(folder / release, folder, f"linux-headers-{release}", version, "amd64"),
        _deb(folder / base, folder, f"linux-headers-{base}", version, "all"),
    ]


# Where rpmbuild may write in a root.
_PLACES = {"_topdir": "/tmp/rpm", "_tmppath": "/tmp", "_rpmdir": "/out"}
_SPEC = """
Name: kernel-devel
Version: {version}
Release: {number}
Summary: headers
License: GPL-2.0-only
AutoReqProv: no
%global __os_install_post %{{nil}}
%global debug_package %{{nil}}
%description
Headers.
%install
mkdir -p %{{buildroot}}/usr/src/kernels
cp -a /build/tree %{{buildroot}}/usr/src/kernels/{version}-{number}.x86_64
%files
/usr/src/kernels/{version}-{number}.x86_64
"""


def kernel_devel(headers: Path, folder: Path, version: str, number: str) -> Path:
    """The RPM of the release VERSION-NUMBER.x86_64, made by rpmbuild in its root."""
    folder.mkdir()
    own, common, _ = _unpack(headers, folder / "unpacked")
    _rename(own, f"{version}-{number}.x86_64")
    shutil.copytree(own, common, symlinks=True, dirs_exist_ok=True)
    common.rename(folder / "tree")
    subprocess.run([RUNTIME / "bin/tar", "-cf", folder / "tree.tar", "-C", folder / "tree", "."], check=True)
    spec = folder / "kernel-devel.spec"
    spec.write_text(_SPEC.format(version=version, number=number))
    defines = [f'--define "{name} {value}"' for name, value in _PLACES.items()]
    build = f"rpmbuild -bb {' '.join(defines)} --target x86_64 /forge/kernel-devel.spec"
    file = folder / f"kernel-devel-{version}-{number}.x86_64.rpm"
    subprocess.run(
        [
            *(RUNTIME / "bin/python3", "-ISB", runfile("tools/roots/run_in_root.pyz"), "--runtime", RUNTIME),
            *("--layer", runfile("roots/rpm.tar"), "--layer", f"{folder}/tree.tar=/build/tree"),
            *("--input", f"{spec}=/forge/kernel-devel.spec", "--output", f"x86_64/{file.name}={file}"),
            *("--", "sh", "-c", f"{build} >&2"),
        ],
        cwd=folder,
        check=True,
    )
    return file
