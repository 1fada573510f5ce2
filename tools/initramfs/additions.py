"""Make the last part of a guest's initramfs: what one test adds for one machine.

    /modules/NAME.ko                   the modules under test
    /lib/modules/RELEASE/load-order    the kernel's own modules that /init loads: paths below that folder, one a line
    ...                                the test's files, each at its place

What the modules under test depend on is loaded, too.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.initramfs.cpio import Entry, archive, regular
from tools.initramfs.image_index import ImageIndex, module_name
from tools.initramfs.userland import real_place
from tools.kernels.module_file import ModuleFile, read_module
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically


def check_release(modules: Iterable[tuple[Path, ModuleFile]], release: str) -> None:
    """Raise UserError for a module that was built for another kernel."""
    for path, module in modules:
        built_for = " ".join(module.info("vermagic")).partition(" ")[0]
        if built_for != release:
            raise UserError(f"{path}: the module is for kernel {built_for or 'none'}, the machine's is {release}")


def dependencies(modules: Iterable[ModuleFile]) -> list[str]:
    """The names of the modules that these depend on, besides each other."""
    own, wanted = set(), []
    for module in modules:
        own.add(module_name(module.name))
        wanted += [name for value in module.info("depends") for name in value.split(",") if name]
    return [name for name in wanted if module_name(name) not in own]


def file_entry(path: Path, place: str) -> Entry:
    """A file at its place in the guest. Each is executable: a remote worker makes every input so."""
    if not place.startswith("/") or place.endswith("/"):
        raise UserError(f"{path}: its place in the guest is '{place}'; expected the absolute path of a file")
    return regular(real_place(place.lstrip("/")), path.read_bytes(), 0o755)


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="additions", description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="the modules.json of the kernel's image")
    parser.add_argument("--load", action="append", default=[], help="a module of the kernel's own to load")
    parser.add_argument("--module", action="append", default=[], type=Path, help="a module under test")
    parser.add_argument("--file", action="append", default=[], metavar="PATH=PLACE")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    index = ImageIndex.from_json(options.index.read_text())
    modules = [(path, read_module(path)) for path in options.module]
    check_release(modules, index.release)
    order = index.load_order([*options.load, *dependencies(module for _, module in modules)])
    entries = [regular(f"usr/lib/modules/{index.release}/load-order", "".join(f"{path}\n" for path in order).encode())]
    entries += [regular(f"modules/{path.name}", module.content) for path, module in modules]
    for text in options.file:
        path, _, place = text.partition("=")
        entries.append(file_entry(Path(path), place))
    write_atomically(options.output, archive(entries))
    return 0


if __name__ == "__main__":
    run(main)
