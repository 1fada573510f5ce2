"""Each kernel's modules lie below its release, as they were built."""

import os
import tarfile
from pathlib import Path

RELEASES = os.environ["RELEASES"].split()


def test_modules() -> None:
    wanted = {
        f"usr/lib/modules/{release}/updates/{module.name}": module.read_bytes()
        for release in RELEASES
        for module in Path("kernels", release).glob("*.ko")
    }
    assert len(wanted) >= len(RELEASES)
    with tarfile.open("tests/containers/modules/vrouter.tar.gz") as archive:
        found = {}
        for member in archive:
            content = archive.extractfile(member)
            assert content and oct(member.mode) == "0o644"
            found[member.name] = content.read()
    assert found == wanted
