"""What a test adds to a machine."""

from pathlib import Path

import pytest

from tools.initramfs import additions
from tools.initramfs.image_index import ImageIndex, Module
from tools.kernels.testing_module import build_module
from tools.lib.errors import UserError

RELEASE = "6.1.0-1-amd64"
INDEX = ImageIndex(RELEASE, {"udp_tunnel": Module("net/udp_tunnel.ko", ()), "veth": Module("veth.ko", ())}, ("ipv6",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.json").write_text(INDEX.to_json())
    return tmp_path


def module(folder: Path, name: str, depends: str = "", release: str = RELEASE) -> str:
    info = [("depends", depends), ("name", name), ("vermagic", f"{release} SMP mod_unload ")]
    (folder / f"{name}.ko").write_bytes(build_module(info))
    return str(folder / f"{name}.ko")


def run(folder: Path, *words: str) -> bytes:
    output = folder / "out.cpio"
    assert additions.main(["--index", str(folder / "index.json"), "--output", str(output), *words]) == 0
    return output.read_bytes()


def test_what_the_modules_depend_on_is_loaded_and_they_themselves_are_not(folder: Path) -> None:
    first = module(folder, "first", depends="udp_tunnel,second")
    second = module(folder, "second", depends="ipv6")
    packed = run(folder, "--load", "veth", "--module", first, "--module", second)
    assert b"veth.ko\nnet/udp_tunnel.ko\n" in packed
    for name in (b"modules/first.ko", b"modules/second.ko", f"usr/lib/modules/{RELEASE}/load-order".encode()):
        assert name + b"\0" in packed


def test_a_module_of_another_kernel(folder: Path) -> None:
    path = module(folder, "first", release="6.1.0-2-amd64")
    with pytest.raises(UserError, match="first.ko: the module is for kernel 6.1.0-2-amd64, the machine's is 6.1.0-1-"):
        run(folder, "--module", path)


def test_a_module_that_needs_what_the_image_lacks(folder: Path) -> None:
    with pytest.raises(UserError, match=r"has no module 'nf_tables'; name it in `kernel_modules`"):
        run(folder, "--module", module(folder, "first", depends="nf_tables"))


def test_files_get_their_places_behind_the_links_of_the_root(folder: Path) -> None:
    (folder / "tool").write_text("x")
    assert b"usr/bin/tool\0" in run(folder, "--file", f"{folder}/tool=/bin/tool")
    assert additions.file_entry(folder / "tool", "/etc/tool").mode & 0o777 == 0o755


@pytest.mark.parametrize("place", ["bin/tool", "/bin/"])
def test_a_place_that_is_none(folder: Path, place: str) -> None:
    (folder / "tool").write_text("x")
    with pytest.raises(UserError, match=f"its place in the guest is '{place}'; expected the absolute path of a file"):
        run(folder, "--file", f"{folder}/tool={place}")
