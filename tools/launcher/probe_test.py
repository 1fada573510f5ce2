"""Finding a Bazel: versions, PATH, the kept answers, $BAZEL."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tools.launcher import probe
from tools.lib.errors import UserError


def _program(path: Path, answer: str, count: Path | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    note = f"echo asked >> {count}\n" if count else ""
    path.write_text(f"#!/bin/sh\n{note}echo '{answer}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("bazel 7.7.1", "7.7.1"),
        ("Bazelisk version: v1.20\nbazel 7.7.1\n", "7.7.1"),
        ("bazel 7.7.1- (@non-git)", "7.7.1"),
        ("bazel 7.7.1-homebrew", "7.7.1"),
        ("bazel 7.7.1rc2", ""),
        ("bazel 8.0.0-pre.20240101.1", ""),
        ("bazel development version", ""),
        ("bazel no_version", ""),
    ],
)
def test_parse_version(answer: str, version: str) -> None:
    assert probe.parse_version(answer) == version


def test_path_is_searched_past_other_versions_and_bazelw_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    own = _program(checkout / "bin/bazel", "bazel 7.7.1")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/bazel").symlink_to(own)
    _program(tmp_path / "old/bazel", "bazel 6.5.0")
    bazelisk = _program(tmp_path / "good/bazelisk", "bazel 7.7.1")
    folders = [checkout / "bin", tmp_path / "linked", tmp_path / "old", tmp_path / "good"]
    monkeypatch.setenv("PATH", ":".join(map(str, folders)))
    monkeypatch.delenv("BAZEL", raising=False)
    assert probe.find_bazel(str(checkout), "7.7.1", str(tmp_path / "cache")) == str(bazelisk)
    bazelisk.unlink()
    assert probe.find_bazel(str(checkout), "7.7.1", str(tmp_path / "cache")) is None


def test_an_answer_is_kept_until_the_program_changes(tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = _program(tmp_path / "bazel", "bazel 7.7.1", count)
    for _ in range(3):
        assert probe.probe(str(program), str(tmp_path), "7.7.1", str(tmp_path / "cache")) == "7.7.1"
    assert count.read_text().count("asked") == 1
    _program(program, "bazel 8.0.0 and longer", count)
    assert probe.probe(str(program), str(tmp_path), "7.7.1", str(tmp_path / "cache")) == "8.0.0"
    assert count.read_text().count("asked") == 2


def test_a_no_is_asked_again_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = tmp_path / "count"
    program = _program(tmp_path / "bazelisk", "could not download", count)
    now = [1000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    for when in (1000.0, 2000.0, 1000.0 + probe.NO_LASTS + 1):
        now[0] = when
        assert probe.probe(str(program), str(tmp_path), "7.7.1", str(tmp_path / "cache")) == ""
    assert count.read_text().count("asked") == 2


@pytest.mark.parametrize(
    ("answer", "wanted"), [("bazel 6.5.0", "is Bazel 6.5.0"), ("nothing", "does not answer --version")]
)
def test_a_chosen_bazel_of_another_version_is_refused(
    answer: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAZEL", str(_program(tmp_path / "x/bazel", answer)))
    (tmp_path / "checkout").mkdir()
    with pytest.raises(UserError, match=f"{wanted}.*7.7.1"):
        probe.find_bazel(str(tmp_path / "checkout"), "7.7.1", str(tmp_path / "cache"))


def test_a_chosen_bazel_must_be_executable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAZEL", str(tmp_path / "none"))
    with pytest.raises(UserError, match="no executable file there"):
        probe.find_bazel(str(tmp_path), "7.7.1", str(tmp_path / "cache"))
