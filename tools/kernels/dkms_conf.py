"""What a dkms.conf says for one kernel.

dkms.conf is a bash script that dkms(8) sources, and its patterns are bash's own: only bash can
say what it means, so bash also makes dkms's choices (`read_conf` of dkms 3.2).
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.lib.errors import UserError
from tools.roots.clock import clock_environment

# What ${dkms_tree} is while a module is built.
DKMS_TREE = Path("/build/dkms")
_READ = r"""
bash -n ./dkms.conf || exit
scalars=(PACKAGE_NAME PACKAGE_VERSION PRE_BUILD POST_BUILD OBSOLETE_BY BUILD_EXCLUSIVE_ARCH BUILD_EXCLUSIVE_CONFIG
    BUILD_EXCLUSIVE_KERNEL BUILD_EXCLUSIVE_KERNEL_MIN BUILD_EXCLUSIVE_KERNEL_MAX)
arrays=(MAKE MAKE_MATCH PATCH PATCH_MATCH BUILT_MODULE_NAME BUILT_MODULE_LOCATION)
unset "${scalars[@]}" "${arrays[@]}"
. ./dkms.conf >&2
for directive in "${scalars[@]}" "${arrays[@]}"; do
    declare -n value=$directive
    for index in "${!value[@]}"; do
        value[index]=${value[index]%$'\r'}
        # dkms sources what it has read once more, so that single quotes don't keep variables.
        [[ ${value[index]} == *\"* ]] || eval "value[index]=\"${value[index]}\""
    done
done
unset -n value

put() { printf '%s\0' "$1" "$2"; }
refuse() { put refusal "$1=${!1}"; }
older() { [[ $1 != "$2" && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }
: "${BUILD_EXCLUSIVE_KERNEL_MAX:=$OBSOLETE_BY}"
[[ $kernelver =~ $BUILD_EXCLUSIVE_KERNEL ]] || refuse BUILD_EXCLUSIVE_KERNEL
[[ $arch =~ $BUILD_EXCLUSIVE_ARCH ]] || refuse BUILD_EXCLUSIVE_ARCH
[[ -z $BUILD_EXCLUSIVE_KERNEL_MIN ]] || ! older "$kernelver" "$BUILD_EXCLUSIVE_KERNEL_MIN" \
    || refuse BUILD_EXCLUSIVE_KERNEL_MIN
[[ -z $BUILD_EXCLUSIVE_KERNEL_MAX ]] || ! older "$BUILD_EXCLUSIVE_KERNEL_MAX" "$kernelver" \
    || refuse BUILD_EXCLUSIVE_KERNEL_MAX
for option in $BUILD_EXCLUSIVE_CONFIG; do
    grep -Eqs "^${option#!}=(y|m)$" "$kernel_source_dir/.config"; unset_=$?
    [[ -e $kernel_source_dir/.config && $option == !* && $unset_ == 0 ]] && refuse BUILD_EXCLUSIVE_CONFIG
    [[ -e $kernel_source_dir/.config && $option != !* && $unset_ != 0 ]] && refuse BUILD_EXCLUSIVE_CONFIG
done

make=
[[ ${MAKE_MATCH[0]} ]] || make=${MAKE[0]}
for index in "${!MAKE[@]}"; do
    [[ ${MAKE_MATCH[index]} && $kernelver =~ ${MAKE_MATCH[index]} ]] && make=${MAKE[index]}
done
put make "$make"
for index in "${!PATCH[@]}"; do
    [[ $kernelver =~ ${PATCH_MATCH[index]} ]] && put patch "${PATCH[index]}"
done
(( ${#BUILT_MODULE_NAME[@]} )) || BUILT_MODULE_NAME=("$PACKAGE_NAME")
for index in "${!BUILT_MODULE_NAME[@]}"; do
    put module "${BUILT_MODULE_LOCATION[index]:-.}/${BUILT_MODULE_NAME[index]}"
done
put name "$PACKAGE_NAME"; put version "$PACKAGE_VERSION"
put pre_build "$PRE_BUILD"; put post_build "$POST_BUILD"
"""


@dataclass(frozen=True)
class DkmsConf:
    """The directives that count for a build.

    make: the command of MAKE for this kernel, "" for the default. modules: what is built, as
    paths without ".ko" from dkms.conf's folder. patches: those of patches/ to apply.
    refusals: the BUILD_EXCLUSIVE_* directives (NAME=VALUE) that leave this kernel out.
    """

    name: str
    version: str
    make: str
    pre_build: str
    post_build: str
    modules: tuple[str, ...]
    patches: tuple[str, ...]
    refusals: tuple[str, ...]

    @property
    def build_link(self) -> Path:
        """Where dkms would have copied the tree to."""
        return DKMS_TREE / self.name / self.version / "build"


def read_dkms_conf(folder: Path, release: str, build_dir: str) -> DkmsConf:
    """Read `folder`/dkms.conf for a kernel whose build folder is `build_dir`.

    Raises UserError when bash can't read it, or it lacks PACKAGE_NAME or PACKAGE_VERSION.
    """
    if not (folder / "dkms.conf").is_file():
        raise UserError("the source has no dkms.conf; correct `directory`, or choose another driver")
    variables = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LC_ALL": "C",
        "kernelver": release,
        "kernel_source_dir": build_dir,
        "dkms_tree": str(DKMS_TREE),
        "source_tree": "/usr/src",
        "arch": "x86_64",
    }
    done = subprocess.run(
        ["bash", "--norc", "-c", _READ],
        cwd=folder,
        env={**variables, **clock_environment(Path("/"))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    words = done.stdout.split("\0")
    found: dict[str, list[str]] = {}
    for name, value in zip(words[0:-1:2], words[1::2], strict=False):
        found.setdefault(name, []).append(value)
    single = {name: "".join(found.get(name, [])) for name in ("name", "version", "make", "pre_build", "post_build")}
    if done.returncode or not single["name"] or not single["version"]:
        said = f"; bash said: {done.stderr.strip()}" if done.stderr.strip() else ""
        raise UserError(f"dkms.conf: expected a bash script that sets PACKAGE_NAME and PACKAGE_VERSION{said}")
    return DkmsConf(
        **single,
        modules=tuple(os.path.normpath(module) for module in found.get("module", [])),
        patches=tuple(found.get("patch", [])),
        refusals=tuple(found.get("refusal", [])),
    )
