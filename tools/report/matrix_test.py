"""The command: what it writes, what it says, how it ends."""

import json
import os
from pathlib import Path

import pytest

from tools.kernels.catalogue import Kernel, write_catalogue
from tools.lib.errors import UserError
from tools.lib.locks import Package
from tools.report import matrix
from tools.report.testing_html import checked

RELEASES = ("6.1.0-55-amd64", "6.1.0-56-amd64")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with two kernels, one that passed and one that failed."""
    package = Package("", "linux-headers", "1", "amd64", "a" * 64, 10, "debian", "pool/x.deb")
    kernels = [
        Kernel(release, "amd64", "bookworm", "gcc-12", "kbuild-bookworm", ("linux-headers=1",)) for release in RELEASES
    ]
    (tmp_path / "kernels").mkdir()
    write_catalogue(tmp_path / "kernels", kernels, {"linux-headers=1": package})
    for release, verdict in zip(RELEASES, ("passed", "failed"), strict=True):
        module = tmp_path / "bazel-bin/kernels" / release / "vrouter.ko"
        module.parent.mkdir(parents=True)
        module.touch()
        os.utime(module, (1000, 1000))
        results = tmp_path / "bazel-testlogs/tests/kernels" / release / "test.outputs"
        results.mkdir(parents=True)
        (results / "log.html").touch()
        result = {"verdict": verdict, "reason": "<b>panic", "date": "2026-11-21T10:00:00Z", "seconds": 8, "facts": {}}
        (results / "result.json").write_text(json.dumps(result))
    monkeypatch.setattr(matrix, "_folder", lambda workspace, name: workspace / name)
    return tmp_path


def test_page_and_json(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.main(["--workspace", str(workspace)]) == 0
    said = capsys.readouterr().out
    assert "red since 2026-11-21: 6.1.0-56-amd64: <b>panic\n" in said
    assert f"1 green, 1 red, 0 yellow, 0 grey: {workspace}/matrix/matrix.html\n" in said
    html = (workspace / "matrix/matrix.html").read_text()
    checker = checked(html, links=r"\.\./bazel-testlogs/tests/kernels/[\w.-]+/test\.outputs/log\.html")
    assert {f"kernel-{release}" for release in RELEASES} <= set(checker.ids)
    assert "1 of 2 kernels passed" in html
    assert "&lt;b&gt;panic" in html
    content = json.loads((workspace / "matrix/matrix.json").read_text())
    assert [(kernel["state"], kernel["log"]) for kernel in content["kernels"]] == [
        ("green", "../bazel-testlogs/tests/kernels/6.1.0-55-amd64/test.outputs/log.html"),
        ("red", "../bazel-testlogs/tests/kernels/6.1.0-56-amd64/test.outputs/log.html"),
    ]


def test_table_to_keep(workspace: Path) -> None:
    assert matrix.main(["--workspace", str(workspace), "--markdown", "kept.md"]) == 0
    assert "| 6.1.0-55-amd64 |" in (workspace / "kept.md").read_text()


def test_check_fails_when_a_kernel_is_red(workspace: Path) -> None:
    arguments = ["--workspace", str(workspace), "--out", "elsewhere", "--check"]
    assert matrix.main(arguments) == 1
    assert (workspace / "elsewhere/matrix.html").exists()
    result = workspace / "bazel-testlogs/tests/kernels/6.1.0-56-amd64/test.outputs/result.json"
    result.write_text(result.read_text().replace("failed", "passed"))
    assert matrix.main(arguments) == 0


def test_logs_can_be_copied(workspace: Path) -> None:
    assert matrix.main(["--workspace", str(workspace), "--copy-logs"]) == 0
    checked((workspace / "matrix/matrix.html").read_text(), links=r"logs/[\w.-]+/log\.html")
    assert (workspace / "matrix/logs/6.1.0-55-amd64/log.html").exists()


def test_nothing_is_written_over_a_damaged_history(workspace: Path) -> None:
    (workspace / "matrix").mkdir()
    (workspace / "matrix/matrix.json").write_text("{")
    with pytest.raises(UserError, match=r"matrix/matrix\.json:1: not JSON"):
        matrix.main(["--workspace", str(workspace)])
    assert [path.name for path in (workspace / "matrix").iterdir()] == ["matrix.json"]


def test_an_output_that_is_no_folder(workspace: Path) -> None:
    (workspace / "file").touch()
    with pytest.raises(UserError, match=r"file: cannot make the folder: File exists"):
        matrix.main(["--workspace", str(workspace), "--out", "file"])
