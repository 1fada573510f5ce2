"""The parts of a module source that its plan and its objects depend on.

The *outline* is the whole tree with a stub for the content of each C file: what kbuild is asked, so that an
edit of a C file changes no plan. The *headers* are what a compile may read besides its C file, so that an edit of
a Makefile compiles nothing.
"""

import re
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath

# modpost refuses a module without a licence; nothing else is asked of the C files of an outline.
STUB = b'static const char forge_stub[] __attribute__((used, section(".modinfo"))) = "license=GPL";\n'
# What a directive of the preprocessor names: an included file, also in __has_include.
_INCLUDED = re.compile(rb'^[ \t]*#[^\n]*?[<"]([^>"\n]+)[>"]', re.MULTILINE)
_SOURCES = (".c", ".h", ".S")


def is_c_file(name: str) -> bool:
    """Whether kbuild makes an object of such a file, and its plan can do without the content."""
    return name.endswith(".c") and not name.endswith(".mod.c")


def included_names(texts: Mapping[str, bytes]) -> set[str]:
    """The last parts of the paths that sources include, whatever the conditions around it."""
    return {
        PurePosixPath(found.decode(errors="replace")).name
        for name, text in texts.items()
        if name.endswith(_SOURCES) or b"#include" in text
        for found in _INCLUDED.findall(text)
    }


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    """What a reader of the file gets, also through links; nothing if a link leads out of the archive."""
    try:
        stream = archive.extractfile(entry)
    except KeyError:
        return b""
    return stream.read() if stream else b""


def write_parts(source: Path, outline: Path, headers: Path, c_files: Mapping[str, Path]) -> list[str]:
    """Write the outline and the headers of a source's tar, and those of its C files that `c_files` gives a path for.

    Returns the names of `c_files` that the source doesn't have.
    """
    with tarfile.open(source) as archive:
        entries = {entry.name.removeprefix("./"): entry for entry in archive if not entry.isdir()}
        texts = {name: _content(archive, entry) for name, entry in entries.items()}
    included = included_names(texts)
    with (
        tarfile.open(outline, "w", format=tarfile.GNU_FORMAT) as outlined,
        tarfile.open(headers, "w", format=tarfile.GNU_FORMAT) as kept,
    ):
        for name, entry in sorted(entries.items()):
            text = b"" if entry.issym() else texts[name]
            if entry.islnk():  # what it links to may be in another part
                entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", len(text)
            if name.endswith(".h") or PurePosixPath(name).name in included or not entry.isreg():
                kept.addfile(entry, BytesIO(text))
            if is_c_file(name) and entry.isreg():
                text = STUB
                entry.size = len(text)
            outlined.addfile(entry, BytesIO(text))
    for name, path in c_files.items():
        path.write_bytes(texts.get(name, b""))
    return sorted(set(c_files) - set(entries))
