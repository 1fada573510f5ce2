"""The layer of the example in BUILD.bazel, as another program's tar reader sees it."""

import json
import tarfile
from pathlib import Path

FOLDER = Path("tests/containers/files")


def test_members() -> None:
    with tarfile.open(FOLDER / "example.tar.gz") as archive:
        found = {
            member.name: (oct(member.mode), member.uid, member.gid, member.linkname, member.mtime)
            for member in archive.getmembers()
        }
        url = archive.extractfile("etc/app/url")
        assert url and url.read() == b"tcp://127.0.0.1:6379\n"
    at = 1735689600
    assert found == {
        "etc/app/app.conf": ("0o644", 0, 0, "", at),
        "etc/app/url": ("0o644", 0, 0, "", at),
        "usr/local/bin/app": ("0o777", 0, 0, "start.sh", at),
        "usr/local/bin/start.sh": ("0o755", 0, 0, "", at),
        "var/lib/app": ("0o2770", 1000, 8, "", at),
    }


def test_the_metadata_names_the_target() -> None:
    metadata = json.loads((FOLDER / "example.layer.json").read_text())
    assert metadata["name"] == "//tests/containers/files:example"
    assert metadata["size"] == (FOLDER / "example.tar.gz").stat().st_size
