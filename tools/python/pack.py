"""Pack Python modules into one zip application (PEP 441), the same bytes each time.

Usage: pack.py @ARGUMENTS, one to a line: OUTPUT MODULE NAME=PATH...
"""

import py_compile
import sys
import tempfile
import zipfile
from pathlib import Path

# ZIP has no earlier date.
EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(output: Path, module: str, files: dict[str, Path]) -> None:
    """Write `files` (name in the archive to source path) compiled, with `module` as the entry.

    Compiled modules carry no time or path of the machine (PEP 552, unchecked hash).
    """
    packages = {str(parent) for name in files for parent in Path(name).parents} - {"."}
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(output, "w") as archive:
        compiled = Path(scratch, "module.pyc")

        def add(name: str, source: Path) -> None:
            py_compile.compile(
                str(source),
                cfile=str(compiled),
                dfile=name,
                doraise=True,
                optimize=0,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
            archive.writestr(zipfile.ZipInfo(name + "c", EPOCH), compiled.read_bytes())

        for name, source in sorted(files.items()):
            if name.endswith(".py"):
                add(name, source)
            else:
                archive.writestr(zipfile.ZipInfo(name, EPOCH), source.read_bytes())
        empty = Path(scratch, "empty.py")
        empty.touch()
        for package in sorted(packages):
            if f"{package}/__init__.py" not in files:
                add(f"{package}/__init__.py", empty)
        entry = Path(scratch, "entry.py")
        entry.write_text(f'import runpy\n\nrunpy.run_module("{module}", run_name="__main__", alter_sys=True)\n')
        add("__main__.py", entry)


def main() -> None:
    """Read the argument file and pack."""
    output, module, *entries = Path(sys.argv[1].removeprefix("@")).read_text().splitlines()
    pack(Path(output), module, {name: Path(path) for name, _, path in (entry.partition("=") for entry in entries)})


if __name__ == "__main__":
    main()
