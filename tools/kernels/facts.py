"""What the build needs to know of a kernel, read from the archive of its headers: kernel.json.

The archive is an uncompressed tar of header packages unpacked together: Debian (build folder
`usr/src/linux-headers-REL`, sources in `...-common`), Ubuntu (build folder with links into the
`_all` package's folder) or RPM (`usr/src/kernels/REL`, everything in one). It may hold several
kernels.
"""

from __future__ import annotations

import argparse
import json
import posixpath
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.kernels.symvers import parse_symvers
from tools.kernels.vermagic import vermagic
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

SCHEMA = 1

# Options that kernel.json repeats ("n" where unset), next to every MODULE_SIG* that is set.
OPTIONS = (
    "64BIT", "SMP",
    "PREEMPT", "PREEMPT_BUILD", "PREEMPT_DYNAMIC", "PREEMPT_LAZY", "PREEMPT_NONE", "PREEMPT_RT",
    "PREEMPT_VOLUNTARY",
    "MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS", "MODULE_UNLOAD",
    "MODVERSIONS", "BASIC_MODVERSIONS", "EXTENDED_MODVERSIONS",
    "DEBUG_INFO", "DEBUG_INFO_BTF", "DEBUG_INFO_BTF_MODULES",
    "GCC_PLUGIN_RANDSTRUCT", "RANDSTRUCT",
)  # fmt: skip

_FOLDER = r"usr/src/(?:kernels/)?[^/]+"
_WANTED = re.compile(
    rf"(?:\./|/)?({_FOLDER})/("
    r"Makefile|Module\.symvers|vmlinux|include/linux/vermagic\.h|include/asm-generic/vermagic\.h"
    r"|include/config/(?:auto\.conf|kernel\.release)|arch/[^/]+/include/asm/vermagic\.h"
    r"|include/generated/(?:utsrelease|randstruct_hash|randomize_layout_hash)\.h)$"
)
_RELEASE = re.compile(r'#define\s+UTS_RELEASE\s+"([^"]+)"')
_INCLUDED = re.compile(rf"^include\s+/({_FOLDER})/Makefile\s*$", re.MULTILINE)


@dataclass
class Folder:
    """The wanted files of one folder below usr/src: texts and links by path inside it."""

    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    @property
    def release(self) -> str:
        """The release that this build folder is for, "" if it isn't a build folder."""
        found = _RELEASE.search(self.files.get("include/generated/utsrelease.h", ""))
        return found[1] if found else self.files.get("include/config/kernel.release", "").strip()


def read_headers(archive: Path) -> dict[str, Folder]:
    """The folders below usr/src (as `usr/src/NAME`), in one pass over the archive."""
    folders: dict[str, Folder] = {}
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                found = _WANTED.match(member.name)
                if not found:
                    continue
                folder = folders.setdefault(found[1], Folder())
                if member.issym():
                    folder.links[found[2]] = member.linkname
                elif found[2] == "vmlinux":
                    folder.files["vmlinux"] = ""
                elif stream := tar.extractfile(member):
                    folder.files[found[2]] = stream.read().decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise UserError(f"{archive}: no such headers archive") from error
    except (tarfile.TarError, OSError, KeyError) as error:
        raise UserError(
            f"{archive}: expected an uncompressed tar of kernel headers ({error}); build it anew"
        ) from error
    return folders


def parse_config(text: str) -> dict[str, str]:
    """The options of a kernel's auto.conf, without CONFIG_ and without quotes."""
    pairs = (line.partition("=") for line in text.splitlines() if line.startswith("CONFIG_"))
    return {name.removeprefix("CONFIG_"): value.strip('"') for name, _, value in pairs}


def find_build_dir(folders: Mapping[str, Folder], release: str) -> str:
    """The folder that kbuild is started in for this release. Raises UserError if there is none."""
    for name, folder in sorted(folders.items()):
        if folder.release == release and "include/config/auto.conf" in folder.files:
            return name
    known = sorted({folder.release for folder in folders.values() if folder.release})
    raise UserError(
        f"the headers archive has no configured headers for kernel {release}; "
        f"it has: {', '.join(known) or 'none'}; is it made from this kernel's packages?"
    )


def find_source_dir(folders: Mapping[str, Folder], build_dir: str) -> str:
    """The folder with the kernel's own include/ for this build folder; often another one."""
    build = folders[build_dir]
    if "include/linux/vermagic.h" in build.files:
        return build_dir
    linked = build.links.get("Makefile")
    included = _INCLUDED.search(build.files.get("Makefile", ""))
    source = included[1] if included else ""
    if linked:
        source = posixpath.dirname(posixpath.normpath(posixpath.join(build_dir, linked)))
    if source not in folders or "include/linux/vermagic.h" not in folders[source].files:
        raise UserError(
            f"{build_dir}: its common headers ({source or 'named by its Makefile'}) with "
            "include/linux/vermagic.h aren't in the archive; add the package that holds them "
            "(-common on Debian, _all on Ubuntu)"
        )
    return source


def kernel_facts(folders: Mapping[str, Folder], release: str, arch: str = "x86") -> dict[str, Any]:
    """The content of kernel.json. `arch` is the kernel's name of the architecture.

    `build_dir` and `source_dir` are below / without a leading slash; `compiler` is the first line
    of the compiler's --version; `vermagic` ends in a space; `vmlinux` says whether the build
    folder has one (modpost then wants pahole for BTF); `symbols` counts Module.symvers.
    """
    build_dir = find_build_dir(folders, release)
    source_dir = find_source_dir(folders, build_dir)
    build, source = folders[build_dir].files, folders[source_dir].files
    config = parse_config(build["include/config/auto.conf"])
    if "Module.symvers" not in build:
        raise UserError(f"{build_dir}: no Module.symvers; the kernel's header package isn't complete")
    headers = [
        (f"{folder}/{path}", files[path])
        for folder, files, paths in (
            (build_dir, build, ("include/generated/utsrelease.h", "include/generated/randstruct_hash.h",
                                "include/generated/randomize_layout_hash.h")),
            (source_dir, source, (f"arch/{arch}/include/asm/vermagic.h", "include/linux/vermagic.h")),
        )
        for path in paths
        if path in files
    ]  # fmt: skip
    if f"arch/{arch}/include/asm/vermagic.h" not in source and "include/asm-generic/vermagic.h" in source:
        headers.insert(0, (f"{source_dir}/asm-generic/vermagic.h", source["include/asm-generic/vermagic.h"]))
    options = {name: config.get(name, "n") for name in OPTIONS}
    options |= {name: value for name, value in config.items() if name.startswith("MODULE_SIG")}
    return {
        "schema": SCHEMA,
        "release": release,
        "build_dir": build_dir,
        "source_dir": source_dir,
        "compiler": config.get("CC_VERSION_TEXT", ""),
        "config": dict(sorted(options.items())),
        "symbols": len(parse_symvers(build["Module.symvers"], f"{build_dir}/Module.symvers")),
        "vermagic": vermagic(config, headers),
        "vmlinux": "vmlinux" in build,
    }


def main(arguments: Sequence[str]) -> int:
    """Write kernel.json, and with --symvers the kernel's Module.symvers next to it."""
    parser = argparse.ArgumentParser(prog="facts", description=__doc__.partition("\n")[0])
    parser.add_argument("--headers", type=Path, required=True, help="uncompressed tar of the header packages")
    parser.add_argument("--release", required=True, help="kernel release, as uname -r prints it")
    parser.add_argument("--out", type=Path, required=True, help="kernel.json to write")
    parser.add_argument("--symvers", type=Path, help="where to put the kernel's Module.symvers")
    options = parser.parse_args(arguments)
    folders = read_headers(options.headers)
    facts = kernel_facts(folders, options.release)
    write_atomically(options.out, json.dumps(facts, indent=2) + "\n")
    if options.symvers:
        write_atomically(options.symvers, folders[facts["build_dir"]].files["Module.symvers"])
    return 0


if __name__ == "__main__":
    run(main)
