"""dkms.conf as packages write it, odd ones too; what is expected is what dkms 3.2 does."""

from pathlib import Path

import pytest

from tools.kernels.dkms_conf import read_dkms_conf
from tools.lib.errors import UserError

RELEASE = "6.1.0-56-amd64"
HEAD = 'PACKAGE_NAME="odd"\nPACKAGE_VERSION="1.0"\n'


def refusals(folder: Path, text: str, release: str = RELEASE) -> list[str]:
    """The directives in `text` that leave the kernel out."""
    (folder / "dkms.conf").write_text(HEAD + text)
    (folder / ".config").write_text('CONFIG_I2C=m\nCONFIG_ACPI=y\n# CONFIG_DRM is not set\nCONFIG_NAME="y"\n')
    return [text.partition("=")[0] for text in read_dkms_conf(folder, release, str(folder)).refusals]


def test_the_smallest(tmp_path: Path) -> None:
    (tmp_path / "dkms.conf").write_text(HEAD)
    conf = read_dkms_conf(tmp_path, RELEASE, "/usr/src/h")
    assert (conf.name, conf.version, conf.make, conf.modules) == ("odd", "1.0", "", ("odd",))
    assert (conf.pre_build, conf.post_build, conf.patches, conf.refusals) == ("", "", (), ())
    assert str(conf.build_link) == "/build/dkms/odd/1.0/build"


def test_several_modules_with_dkms_variables(tmp_path: Path) -> None:
    (tmp_path / "dkms.conf").write_text(
        HEAD
        + "PATCH[0]=all.patch\n"
        + """
MAKE[0]="make -C ${kernel_source_dir} M=${dkms_tree}/${PACKAGE_NAME}/${PACKAGE_VERSION}/build \\
    && make KVER=$kernelver ARCH=$arch 'A B'"
BUILT_MODULE_NAME[0]="one"; BUILT_MODULE_LOCATION[0]="src/one/"
BUILT_MODULE_NAME[2]=$PACKAGE_NAME
BUILT_MODULE_LOCATION[1]="./extensions" BUILT_MODULE_NAME[1]=two
PRE_BUILD="./configure --with=$kernel_source_dir"
POST_BUILD=after.sh
"""
    )
    conf = read_dkms_conf(tmp_path, RELEASE, "/usr/src/h")
    assert " ".join(conf.make.split()) == (
        f"make -C /usr/src/h M=/build/dkms/odd/1.0/build && make KVER={RELEASE} ARCH=x86_64 'A B'"
    )
    assert conf.modules == ("src/one/one", "extensions/two", "odd")
    assert (conf.pre_build, conf.post_build) == ("./configure --with=/usr/src/h", "after.sh")


def test_a_script_that_decides_and_ends_with_a_false_command(tmp_path: Path) -> None:
    text = """
say() { echo "$@"; }
say this is no directive
. $kernel_source_dir/.config
[ "${CONFIG_ACPI}" = y ] && BUILT_MODULE_NAME=with_acpi
[ -f absent ] && MAKE="make absent"
"""
    (tmp_path / ".config").write_text("CONFIG_ACPI=y\n")
    (tmp_path / "dkms.conf").write_text(HEAD + text)
    conf = read_dkms_conf(tmp_path, RELEASE, str(tmp_path))
    assert (conf.modules, conf.make) == (("with_acpi",), "")


def test_lines_that_end_as_on_windows(tmp_path: Path) -> None:
    (tmp_path / "dkms.conf").write_bytes(b'PACKAGE_NAME="odd"\r\nPACKAGE_VERSION=2\r\nMAKE[0]="make all"\r\n')
    conf = read_dkms_conf(tmp_path, RELEASE, "/usr/src/h")
    assert (conf.name, conf.version, conf.make) == ("odd", "2", "make all")


@pytest.mark.parametrize(
    ("text", "make"),
    [
        ('MAKE="make one"', "make one"),
        ('MAKE[0]="make all"; MAKE[1]="make old"; MAKE_MATCH[1]="^5\\."', "make all"),
        ('MAKE[0]="make all"; MAKE[1]="make six"; MAKE_MATCH[1]="^6\\."', "make six"),
        ('MAKE[0]="make old"; MAKE_MATCH[0]="^5\\."', ""),
        ("MAKE[0]=\"'make' -j4 all\"", "'make' -j4 all"),
        ("MAKE='make KVER=$kernelver'", f"make KVER={RELEASE}"),
        ("MAKE='make A=\"$B\"'", 'make A="$B"'),
    ],
)
def test_which_make(tmp_path: Path, text: str, make: str) -> None:
    (tmp_path / "dkms.conf").write_text(HEAD + text + "\n")
    assert read_dkms_conf(tmp_path, RELEASE, "/usr/src/h").make == make


def test_which_patches(tmp_path: Path) -> None:
    (tmp_path / "dkms.conf").write_text(
        HEAD
        + "PATCH[0]=all.patch\n"
        + 'PATCH[1]=old.patch PATCH_MATCH[1]="^5" PATCH[3]=six.patch PATCH_MATCH[3]="^6\\.[[:digit:]]+"\n'
    )
    assert read_dkms_conf(tmp_path, RELEASE, "/usr/src/h").patches == ("all.patch", "six.patch")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('BUILD_EXCLUSIVE_KERNEL="^(5|6)\\.[[:digit:]]+"', []),
        ('BUILD_EXCLUSIVE_KERNEL="REQUIRES CONFIG_X"', ["BUILD_EXCLUSIVE_KERNEL"]),
        ("BUILD_EXCLUSIVE_KERNEL_MIN=6.1", []),
        ("BUILD_EXCLUSIVE_KERNEL_MIN=6.2", ["BUILD_EXCLUSIVE_KERNEL_MIN"]),
        ("BUILD_EXCLUSIVE_KERNEL_MIN=6.12", ["BUILD_EXCLUSIVE_KERNEL_MIN"]),
        ("BUILD_EXCLUSIVE_KERNEL_MAX=6.12", []),
        ("BUILD_EXCLUSIVE_KERNEL_MAX=5.10", ["BUILD_EXCLUSIVE_KERNEL_MAX"]),
        ("OBSOLETE_BY=6.0", ["BUILD_EXCLUSIVE_KERNEL_MAX"]),
        ("BUILD_EXCLUSIVE_ARCH='aarch64|x86_64'", []),
        ("BUILD_EXCLUSIVE_ARCH=aarch64", ["BUILD_EXCLUSIVE_ARCH"]),
        ('BUILD_EXCLUSIVE_CONFIG="CONFIG_I2C CONFIG_ACPI !CONFIG_DRM"', []),
        ("BUILD_EXCLUSIVE_CONFIG=CONFIG_DRM", ["BUILD_EXCLUSIVE_CONFIG"]),
        ("BUILD_EXCLUSIVE_CONFIG=CONFIG_NAME", ["BUILD_EXCLUSIVE_CONFIG"]),
        ("BUILD_EXCLUSIVE_CONFIG=!CONFIG_ACPI", ["BUILD_EXCLUSIVE_CONFIG"]),
    ],
)
def test_kernels_that_are_left_out(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert refusals(tmp_path, text + "\n") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PACKAGE_VERSION=1\n", "sets PACKAGE_NAME and PACKAGE_VERSION"),
        ("PACKAGE_NAME=odd\n", "sets PACKAGE_NAME and PACKAGE_VERSION"),
        (HEAD + "if true\n", "syntax error"),
        (HEAD + "exit 1\n", "sets PACKAGE_NAME and PACKAGE_VERSION"),
    ],
)
def test_what_is_no_dkms_conf(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "dkms.conf").write_text(text)
    with pytest.raises(UserError, match=said):
        read_dkms_conf(tmp_path, RELEASE, "/usr/src/h")


def test_no_dkms_conf_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no dkms.conf"):
        read_dkms_conf(tmp_path, RELEASE, "/usr/src/h")
