"""A container image's tree in an initramfs: which layer's file counts, and what is left out."""

import io
import tarfile

import pytest

from tools.initramfs.cpio import folder, link, regular
from tools.initramfs.image_tree import tree
from tools.lib.errors import UserError


def layer(*members: tuple[str, bytes, bytes]) -> bytes:
    """A tar of (name, type, content or link's target) triples, with mode 0755."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, 0o755
            if kind == tarfile.REGTYPE:
                member.size = len(content)
            else:
                member.linkname = content.decode()
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def test_the_highest_layer_counts() -> None:
    lower = layer(
        ("usr", tarfile.DIRTYPE, b""),
        ("usr/a", tarfile.REGTYPE, b"old"),
        ("usr/same", tarfile.LNKTYPE, b"usr/a"),
        ("bin", tarfile.SYMTYPE, b"usr/bin"),
        ("usr/share/doc", tarfile.REGTYPE, b"much"),
        ("usr/shared", tarfile.REGTYPE, b"kept"),
    )
    upper = layer(("usr/a", tarfile.REGTYPE, b"new"))
    assert tree([lower, upper], "image", ["usr/share"]) == [
        folder("image/usr"),
        regular("image/usr/a", b"new", 0o755),
        regular("image/usr/same", b"old", 0o755),
        link("image/bin", "usr/bin"),
        regular("image/usr/shared", b"kept", 0o755),
    ]


def test_a_device_is_refused() -> None:
    with pytest.raises(UserError, match="dev/null: expected a file, a folder or a link"):
        tree([layer(("dev/null", tarfile.CHRTYPE, b""))], "image")
