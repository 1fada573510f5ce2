"""Wheels become files of a root: modules, programs, data, and nothing outside."""

import io
import runpy
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.wheels.wheel_archive import archive

SITE = "usr/local/lib/python3.11/dist-packages"


def wheel(folder: Path, name: str, files: dict[str, str], stamp: int = 1990) -> Path:
    """A wheel with these files; `stamp` is the year of all of them."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as output:
        for file, content in files.items():
            output.writestr(zipfile.ZipInfo(file, (stamp, 1, 1, 0, 0, 0)), content)
    return path


def contents(tar: bytes) -> dict[str, tuple[str, int]]:
    """Path to content and mode."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        return {
            entry.name: (stream.read().decode(errors="replace"), entry.mode)
            for entry in opened
            if (stream := opened.extractfile(entry)) is not None
        }


def test_modules_programs_and_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wheel(
        tmp_path,
        "hello",
        {
            "hello/__init__.py": "def main():\n    print('hello')\n    return 3\n",
            "hello-1.0.dist-info/entry_points.txt": "[console_scripts]\nHello = hello:main [extra]\n[other]\na = b:c\n",
            "hello-1.0.data/scripts/tool": "#!python\nprint(1)\n",
            "hello-1.0.data/data/share/hello.txt": "text",
            "hello-1.0.data/platlib/native.so": "ELF",
        },
    )
    found = contents(archive([path], "3.11"))
    assert found["usr/local/bin/tool"] == ("#!/usr/bin/python3\nprint(1)\n", 0o755)
    assert found["usr/local/share/hello.txt"] == ("text", 0o644)
    assert found[f"{SITE}/native.so"][1] == 0o644
    program, mode = found["usr/local/bin/Hello"]
    assert mode == 0o755
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello/__init__.py").write_text(found[f"{SITE}/hello/__init__.py"][0])
    (tmp_path / "program.py").write_text(program)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SystemExit, match="3"):
        runpy.run_path(str(tmp_path / "program.py"))
    assert capsys.readouterr().out == "hello\n"


def test_same_bytes_whatever_the_times_and_the_order(tmp_path: Path) -> None:
    for name in ("0", "1"):
        (tmp_path / name).mkdir()
    first = [wheel(tmp_path / "0", name, {f"{name}.py": name, f"{name}2.py": name}, 1990) for name in ("a", "b")]
    second = [wheel(tmp_path / "1", name, {f"{name}2.py": name, f"{name}.py": name}, 2020) for name in ("b", "a")]
    assert archive(first, "3.11") == archive(second, "3.11")


def test_modules_are_compiled_for_the_same_python_alone(tmp_path: Path) -> None:
    path = wheel(tmp_path, "both", {"good.py": "WORD = 'yes'\n", "template.py": "def :\n"})
    version = "{}.{}".format(*sys.version_info[:2])
    with tarfile.open(fileobj=io.BytesIO(archive([path], version))) as opened:
        compiled = [name for name in opened.getnames() if name.endswith(".pyc")]
    assert [Path(name).name for name in compiled] == [f"good.{sys.implementation.cache_tag}.pyc"]
    assert not [name for name in contents(archive([path], "3.5")) if name.endswith(".pyc")]


def test_what_is_not_a_wheel(tmp_path: Path) -> None:
    (tmp_path / "no.whl").write_text("text")
    with pytest.raises(UserError, match="no.whl: not a wheel"):
        archive([tmp_path / "no.whl"], "3.11")
    with pytest.raises(UserError, match="leads out of it"):
        archive([wheel(tmp_path, "out", {"../../etc/passwd": "x"})], "3.11")


def test_two_wheels_with_one_file(tmp_path: Path) -> None:
    one, two = wheel(tmp_path, "one", {"both.py": "1"}), wheel(tmp_path, "two", {"both.py": "2"})
    with pytest.raises(UserError, match="both.py is in another wheel too"):
        archive([one, two], "3.11")
