"""Take out of a kernel's image packages what a virtual machine boots: the kernel, and some modules.

Runs in a root with depmod. Leaves in /out

    vmlinuz       the kernel, as the package has it
    modules.cpio  the wanted modules and all that they need, decompressed, below /usr/lib/modules/RELEASE,
                  with what depmod makes of them (/lib is a link in a guest)
    modules.json  the index of tools/initramfs/image_index.py

Decompressing the packages costs most, so they are read once, and all modules are in memory meanwhile.
"""

import argparse
import io
import lzma
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from tools.initramfs.cpio import Entry, archive, regular
from tools.initramfs.image_index import ImageIndex, Module, module_name, unknown_names
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically
from tools.roots.run_in_root import RUNTIME

# Signed kernels have none of the suffixes; lines before 7.2 have the kernel in /boot.
_KERNEL = re.compile(r"(?:boot/vmlinuz-(?P<boot>[^/]+)|(?:usr/)?lib/modules/(?P<lib>[^/]+)/vmlinuz(?:\.unsigned)?)")
_MODULES = re.compile(r"(?:usr/)?lib/modules/(?P<release>[^/]+)/(?P<path>.+)")
_MODULE = re.compile(r".+\.ko(?:\.xz)?")
# What depmod reads besides the modules, and what of it and of its results no guest needs.
_LISTS = ("modules.builtin", "modules.builtin.modinfo", "modules.order")
_LEFT_OUT = ("modules.builtin.alias.bin", "modules.builtin.modinfo", "modules.order")


@dataclass
class Image:
    """What the packages of a kernel's image have.

    `modules` maps the name of each module to its path below /lib/modules/RELEASE and its bytes there.
    """

    vmlinuz: bytes = b""
    modules: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    lists: dict[str, bytes] = field(default_factory=dict)

    @property
    def builtin(self) -> tuple[str, ...]:
        """The names of the modules that are part of the kernel."""
        return tuple(sorted(map(module_name, self.lists["modules.builtin"].decode().split())))

    def take(self, release: str, name: str, content: bytes) -> None:
        """Keep a package's file if it is one of these."""
        if kernel := _KERNEL.fullmatch(name):
            if release in (kernel["boot"], kernel["lib"]):
                self.vmlinuz = content
        elif (match := _MODULES.fullmatch(name)) and match["release"] == release:
            if _MODULE.fullmatch(name):
                self.modules[module_name(name)] = (match["path"], content)
            elif match["path"] in _LISTS:
                self.lists[match["path"]] = content


def read_image(release: str, packages: Iterable[Path]) -> Image:
    """Read the packages. Raises UserError unless they have the kernel of this release and its modules."""
    image = Image()
    for package in packages:
        for name, content in _package_files(package):
            image.take(release, name, content)
    if not image.vmlinuz or not image.modules or "modules.builtin" not in image.lists:
        raise UserError(
            f"kernel {release}: its image packages have no kernel, no modules or no modules.builtin of that release; "
            "correct `packages` of its entry in kernels/catalogue.json"
        )
    return image


def _package_files(package: Path) -> Iterator[tuple[str, bytes]]:
    """Names, without a leading "./", and contents of the files of a .deb."""
    with subprocess.Popen([f"{RUNTIME}/bin/dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacking:
        assert unpacking.stdout is not None
        try:
            with tarfile.open(fileobj=unpacking.stdout, mode="r|", bufsize=1 << 20) as tar:
                for member in tar:
                    if member.isreg() and (stream := tar.extractfile(member)):
                        yield member.name.removeprefix("./"), stream.read()
        except tarfile.TarError as error:
            raise UserError(f"{package}: cannot read the package ({error}); fetch it anew") from error
    if unpacking.returncode:
        raise UserError(f"{package}: dpkg-deb ended with {unpacking.returncode}; fetch it anew")


def needs(name: str, content: bytes) -> list[str]:
    """The names of the modules to load before the one with these bytes: its `depends` and the `pre:` of its softdeps.

    Raises UserError when they aren't a module.
    """
    try:
        section = ELFFile(io.BytesIO(content)).get_section_by_name(".modinfo")
    except ELFError as error:
        raise UserError(f"{name}: expected a kernel module, an ELF file ({error})") from error
    words: list[str] = []
    for text in section.data().split(b"\0") if section else []:
        key, _, value = text.decode().partition("=")
        if key == "depends":
            words += value.split(",")
        elif key == "softdep":
            # pre: NAME... post: NAME...
            words += value.partition("post:")[0].removeprefix("pre:").split()
    return [module_name(word) for word in words if word]


def choose(release: str, image: Image, wanted: Iterable[str]) -> tuple[ImageIndex, dict[str, bytes]]:
    """The index of the wanted modules and all that they need, and the bytes of each by path.

    Raises UserError when the kernel has no module of one of the names.
    """
    builtin = image.builtin
    pending = [module_name(name) for name in wanted]
    if message := unknown_names(pending, [*image.modules, *builtin]):
        raise UserError(f"kernel {release} has no module {message}; correct `kernel_modules`")
    chosen: dict[str, Module] = {}
    contents = {}
    while pending:
        name = pending.pop()
        # What is built in has no file; a softdep may be an alias or a module that this kernel doesn't have.
        if name in chosen or name not in image.modules:
            continue
        path, content = image.modules[name]
        if path.endswith(".xz"):
            path, content = path.removesuffix(".xz"), lzma.decompress(content)
        needed = [each for each in needs(path, content) if each in image.modules]
        chosen[name] = Module(path, tuple(needed))
        contents[path] = content
        pending += needed
    return ImageIndex(release, chosen, builtin), contents


def module_entries(release: str, image: Image, modules: Mapping[str, bytes], stage: Path) -> list[Entry]:
    """The entries of /usr/lib/modules/RELEASE, of which depmod makes some; `stage` is an empty folder."""
    folder = stage / "lib/modules" / release
    for name, content in {**image.lists, **modules}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    done = subprocess.run(["depmod", "-b", stage, release], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode or done.stderr:
        raise UserError(f"kernel {release}: depmod: {done.stderr.strip() or done.returncode}")
    return [
        regular(f"usr/lib/modules/{release}/{path.relative_to(folder)}", path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path.name not in _LEFT_OUT
    ]


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="kernel_image", description=__doc__)
    parser.add_argument("--release", required=True)
    parser.add_argument("--module", action="append", default=[], help="a module to take, with all that it needs")
    parser.add_argument("--out", type=Path, default=Path("/out"))
    parser.add_argument("packages", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    image = read_image(options.release, options.packages)
    index, modules = choose(options.release, image, options.module)
    write_atomically(options.out / "vmlinuz", image.vmlinuz)
    entries = module_entries(options.release, image, modules, Path("/build/modules"))
    write_atomically(options.out / "modules.cpio", archive(entries))
    write_atomically(options.out / "modules.json", index.to_json())
    return 0


if __name__ == "__main__":
    run(main)
