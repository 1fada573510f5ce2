"""A packed tool runs alone and has the same bytes wherever it was packed."""

import runpy
import shutil
import sys
from pathlib import Path

import pytest

from tools.python.pack import pack


def _sources(folder: Path) -> dict[str, Path]:
    folder.mkdir()
    (folder / "tool.py").write_text("import sys\n\nfrom package.words import WORD\n\nprint(WORD, *sys.argv[1:])\n")
    (folder / "words.py").write_text('WORD = "hello"\n')
    return {"package/tool.py": folder / "tool.py", "package/words.py": folder / "words.py"}


def test_same_bytes_from_two_folders(tmp_path: Path) -> None:
    first, second = tmp_path / "first.pyz", tmp_path / "second.pyz"
    pack(first, "package.tool", _sources(tmp_path / "one"))
    pack(second, "package.tool", _sources(tmp_path / "a folder elsewhere"))
    assert first.read_bytes() == second.read_bytes()


def test_it_runs_without_its_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = tmp_path / "tool.pyz"
    sources = _sources(tmp_path / "sources")
    pack(tool, "package.tool", sources)
    shutil.rmtree(tmp_path / "sources")
    monkeypatch.setattr(sys, "argv", [str(tool), "you"])
    runpy.run_path(str(tool), run_name="__main__")
    assert capsys.readouterr().out == "hello you\n"


def test_data_is_there_beside_the_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "word.txt").write_text("from a file")
    (tmp_path / "tool.py").write_text(
        "from importlib.resources import files\n\nprint(files('folder').joinpath('word.txt').read_text())\n"
    )
    tool = tmp_path / "tool.pyz"
    pack(tool, "folder.tool", {f"folder/{name}": tmp_path / name for name in ("tool.py", "word.txt")})
    monkeypatch.setattr(sys, "argv", [str(tool)])
    runpy.run_path(str(tool), run_name="__main__")
    assert capsys.readouterr().out == "from a file\n"
