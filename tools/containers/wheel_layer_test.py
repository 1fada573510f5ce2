"""What a virtual environment holds."""

import json
import zipfile
from pathlib import Path

import pytest

from tools.containers.contents import SYMLINK
from tools.containers.wheel_layer import components, environment, fits
from tools.lib.errors import UserError


def wheel(folder: Path, name: str, files: dict[str, str]) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for place, text in files.items():
            archive.writestr(place, text)
    return path


@pytest.mark.parametrize(
    ("name", "version", "right"),
    [
        ("a-1-py3-none-any.whl", "3.13", True),
        ("a-1-py2.py3-none-any.whl", "3.13", True),
        ("a-1-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "3.13", True),
        ("a-1-cp311-cp311-manylinux_2_17_x86_64.whl", "3.13", False),
        ("a-1-cp39-abi3-manylinux_2_17_x86_64.whl", "3.13", True),
        ("a-1-cp313-abi3-manylinux_2_17_x86_64.whl", "3.11", False),
        ("a-1-cp313-cp313-manylinux_2_17_aarch64.whl", "3.13", False),
        ("a-1-py2-none-any.whl", "3.13", False),
    ],
)
def test_tags(name: str, version: str, right: bool) -> None:
    assert fits(name, version) == right


def test_the_environment(tmp_path: Path) -> None:
    files = {"a/__init__.py": "x = 1\n", "a-1.dist-info/entry_points.txt": "[console_scripts]\na = a:main\n"}
    entries, sources = environment("//x", [wheel(tmp_path, "a-1-py3-none-any.whl", files)], "/opt/a/", "3.13")
    found = {entry.path: entry for entry in entries}
    assert sorted(found) == [
        "opt/a/bin/a",
        "opt/a/bin/python",
        "opt/a/bin/python3",
        "opt/a/lib/python3.13/site-packages/a-1.dist-info/entry_points.txt",
        "opt/a/lib/python3.13/site-packages/a/__init__.py",
        "opt/a/pyvenv.cfg",
    ]
    python = found["opt/a/bin/python3"]
    assert (python.type, python.target) == (SYMLINK, "/usr/bin/python3.13")
    script = sources["opt/a/bin/a"]
    assert isinstance(script, bytes) and script.startswith(b"#!/opt/a/bin/python3\n")
    assert found["opt/a/bin/a"].mode == 0o755


def test_mistakes_are_named(tmp_path: Path) -> None:
    one, two = (wheel(tmp_path, f"{name}-1-py3-none-any.whl", {"m.py": name}) for name in "ab")
    with pytest.raises(UserError, match="b-1-py3-none-any.whl: /opt/lib/python3.13/site-packages/m.py is in another"):
        environment("//x", [one, two], "/opt", "3.13")
    with pytest.raises(UserError, match="//x: prefix: 'opt' is no absolute path"):
        environment("//x", [one], "opt", "3.13")
    native = wheel(tmp_path, "n-1-cp311-cp311-linux_x86_64.whl", {})
    with pytest.raises(UserError, match="//x: n-1-cp311-cp311-linux_x86_64.whl isn't for Python 3.13"):
        environment("//x", [native], "/opt", "3.13")


def test_components(tmp_path: Path) -> None:
    (found,) = json.loads(components([wheel(tmp_path, "A_b-1-py3-none-any.whl", {})], "roots/x.requirements.txt"))
    assert (found["name"], found["version"], found["lock"]) == ("a-b", "1", "roots/x.requirements.txt")
