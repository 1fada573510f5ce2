"""The layer of BUILD.bazel, unpacked: its modules are imported by the Python that it is for."""

import os
import subprocess
import tarfile
from pathlib import Path

PYTHON = Path("../tool_runtime/bin/python3")
BLOB = Path("tests/containers/wheels/docker.tar.gz")


def test_the_modules_are_imported(tmp_path: Path) -> None:
    with tarfile.open(BLOB) as archive:
        for member in archive:
            if member.isfile():
                archive.extract(member, tmp_path, set_attrs=False)
    site = tmp_path / "opt/docker/lib/python3.11/site-packages"
    code = "import sys; sys.path.insert(0, sys.argv[1]); import idna; print(idna.__file__)"
    said = subprocess.run([PYTHON, "-ISc", code, site], capture_output=True, text=True, check=False)
    assert said.stdout.strip() == os.fspath(site / "idna/__init__.py"), said.stderr


def test_the_environment_is_the_image_s_python_s() -> None:
    with tarfile.open(BLOB) as archive:
        assert archive.getmember("opt/docker/bin/python3").linkname == "/usr/bin/python3.11"
        content = archive.extractfile("opt/docker/bin/normalizer")
        assert content and content.readline() == b"#!/opt/docker/bin/python3\n"
        assert oct(archive.getmember("opt/docker/bin/normalizer").mode) == "0o755"
