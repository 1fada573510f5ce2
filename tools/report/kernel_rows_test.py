"""What is said of a kernel, from what Bazel left and from the matrix before."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tools.kernels.catalogue import Kernel
from tools.lib.errors import UserError
from tools.report.kernel_rows import (
    NOT_TESTABLE,
    Places,
    Row,
    counts,
    matrix,
    read_history,
    row_of,
    to_json,
    with_copied_logs,
    with_history,
)

RELEASE = "6.1.0-56-amd64"
KERNEL = Kernel(RELEASE, "amd64", "bookworm", "gcc-12", "kbuild-bookworm", ("linux-headers=1",), ("linux-image=1",))
NOW = "2026-11-21T12:00:00Z"
ROW = Row(RELEASE, "6.1", "amd64", "green", date="2026-11-20T10:00:00Z")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Empty output folders."""
    return Places(tmp_path / "bin", tmp_path / "testlogs", tmp_path / "matrix")


def build(places: Places, at: float = 1000) -> None:
    """A built module of 5 bytes, last changed `at`."""
    module = places.bin / "kernels" / RELEASE / "vrouter.ko"
    module.parent.mkdir(parents=True)
    module.write_bytes(b"12345")
    os.utime(module, (at, at))


def run_test(places: Places, at: float = 2000, **result: Any) -> Path:
    """The traces of a test that ended `at`."""
    results = places.results(RELEASE)
    results.mkdir(parents=True)
    for name in ("test.log", "test.outputs/log.html"):
        (places.logs(RELEASE) / name).touch()
        os.utime(places.logs(RELEASE) / name, (at, at))
    file = results / "result.json"
    content = {"schema": 1, "verdict": "passed", "reason": "", "date": "2026-11-21T10:00:00Z", "seconds": 9.5,
               "boot_seconds": 4.25, "facts": {"load_seconds": 0.125, "traffic": "passed"}}  # fmt: skip
    file.write_text(json.dumps(content | result))
    os.utime(file, (at, at))
    return file


def test_a_kernel_that_passed(places: Places) -> None:
    build(places)
    run_test(places)
    assert row_of(KERNEL, places, NOW) == Row(
        RELEASE,
        "6.1",
        "amd64",
        "green",
        built="yes",
        module_size=5,
        load_seconds=0.125,
        boot_seconds=4.25,
        seconds=9.5,
        traffic="passed",
        date="2026-11-21T10:00:00Z",
        log=f"../testlogs/tests/kernels/{RELEASE}/test.outputs/log.html",
    )


def test_a_kernel_that_failed_says_why(places: Places) -> None:
    build(places)
    run_test(places, verdict="failed", reason="kernel panic", boot_seconds=None, facts={"traffic": "failed"})
    row = row_of(KERNEL, places, NOW)
    assert (row.state, row.note, row.traffic, row.boot_seconds) == ("red", "kernel panic", "failed", None)


def test_traffic_that_was_not_reached(places: Places) -> None:
    build(places)
    run_test(places, verdict="failed", reason="no boot", facts={})
    assert row_of(KERNEL, places, NOW).traffic == "not run"


def nothing_skipped(releases: Sequence[str]) -> dict[str, str]:
    """All images are there."""
    return {}


def test_a_kernel_whose_test_is_skipped_can_not_be_tested(places: Places) -> None:
    build(places)
    run_test(places)
    other = replace(KERNEL, release="6.1.0-57-amd64")
    rows = matrix([KERNEL, other], {}, places, NOW, lambda releases: dict.fromkeys(releases, "its image is gone"))
    assert [row.state for row in rows] == ["green", "yellow"]
    assert (rows[1].note, rows[1].traffic) == ("its image is gone", NOT_TESTABLE)


def test_headers_that_are_gone(places: Places) -> None:
    row = row_of(replace(KERNEL, missing=("linux-headers=1", "linux-kbuild=1")), places, NOW)
    assert (row.state, row.built) == ("yellow", "missing")
    assert row.note == "packages gone from the mirrors: linux-headers=1, ..."


def test_a_module_that_was_not_built_or_does_not_build(places: Places) -> None:
    row = row_of(KERNEL, places, NOW)
    assert (row.state, row.built) == ("grey", "no")
    (places.bin / "kernels" / RELEASE).mkdir(parents=True)
    # A result from before says nothing about it.
    run_test(places)
    row = row_of(KERNEL, places, NOW)
    assert (row.state, row.built, row.date) == ("red", "failed", NOW)
    assert f"./bazelw build //kernels:{RELEASE}" in row.note


def test_a_test_that_was_not_run(places: Places) -> None:
    build(places)
    row = row_of(KERNEL, places, NOW)
    assert (row.state, row.note, row.log) == ("grey", "its test has not been run", "")


def test_a_result_of_another_module_says_nothing(places: Places) -> None:
    build(places)
    run_test(places, facts={"module_sha256": "0" * 64})
    row = row_of(KERNEL, places, NOW)
    assert (row.state, row.module_size, row.load_seconds) == ("grey", 5, None)
    assert row.note == "its module was built anew since its test of 1970-01-01"


def test_a_module_that_came_later_and_is_the_same_was_tested(places: Places) -> None:
    build(places, at=3000)
    run_test(places, at=2000, facts={"module_sha256": hashlib.sha256(b"12345").hexdigest()})
    assert row_of(KERNEL, places, NOW).state == "green"


def test_a_test_that_came_to_no_module_is_older_or_newer_than_it(places: Places) -> None:
    build(places, at=3000)
    run_test(places, at=2000, verdict="failed", reason="no boot", facts={})
    assert row_of(KERNEL, places, NOW).state == "grey"
    os.utime(places.results(RELEASE) / "result.json", (4000, 4000))
    assert row_of(KERNEL, places, NOW).state == "red"


def test_a_test_that_left_no_result_is_red_and_its_log_is_linked(places: Places) -> None:
    build(places)
    run_test(places).unlink()
    (places.results(RELEASE) / "log.html").unlink()
    row = row_of(KERNEL, places, NOW)
    assert (row.state, row.log) == ("red", f"../testlogs/tests/kernels/{RELEASE}/test.log")


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"verdict": "maybe"}', '{"verdict": "passed", "seconds": "x"}'])
def test_a_damaged_result_is_one_warning(places: Places, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    build(places)
    run_test(places).write_text(content)
    assert row_of(KERNEL, places, NOW).state == "grey"
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "result.json: not a result of a VM test" in said
    assert f"run it again: ./bazelw test --nocache_test_results //tests/kernels:{RELEASE}" in said


def test_the_first_red_run_since_the_last_green_one_is_kept() -> None:
    green = with_history(ROW, None)
    assert (green.red_since, green.last_green) == ("", "2026-11-20T10:00:00Z")
    first = with_history(replace(ROW, state="red", date="2026-11-21"), green)
    assert (first.red_since, first.last_green) == ("2026-11-21", "2026-11-20T10:00:00Z")
    grey = with_history(replace(ROW, state="grey", date=""), first)
    second = with_history(replace(ROW, state="red", date="2026-11-22"), grey)
    assert (second.red_since, second.last_green) == ("2026-11-21", "2026-11-20T10:00:00Z")
    assert with_history(replace(ROW, date="2026-11-23"), second).red_since == ""


def test_history_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "matrix.json"
    assert read_history(path) == {}
    red = replace(ROW, state="red", red_since="2026-11-21")
    path.write_text(to_json([red], NOW))
    assert read_history(path) == {RELEASE: red}
    content = json.loads(path.read_text())
    assert content["counts"] == {"green": 0, "red": 1, "yellow": 0, "grey": 0} == counts([red])
    assert content["date"] == NOW


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{\n "schema": 1,\n', r"matrix\.json:3: not JSON"),
        (b"\xff\xfe", r"matrix\.json: not JSON"),
        (b"[]", r"matrix\.json: not as a matrix should be"),
        (b'{"schema": 7}', r"matrix\.json: expected a matrix with schema 1, found 7"),
        (b'{"schema": 1, "kernels": [{"release": "x"}]}', r"matrix\.json: not as a matrix should be"),
    ],
)
def test_a_damaged_history_is_named_and_kept(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "matrix.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message + ".*; restore the file, or remove it"):
        read_history(path)
    assert path.read_bytes() == content


def test_no_results_at_all(places: Places) -> None:
    build(places)
    with pytest.raises(UserError, match=r"no results yet in .*; run the tests first: ./bazelw test //tests/kernels:a"):
        matrix([KERNEL], {}, places, NOW, nothing_skipped)


def test_copied_logs_are_beside_the_page(places: Places) -> None:
    build(places)
    run_test(places)
    places.out.mkdir()
    for _ in range(2):
        (row,) = with_copied_logs(matrix([KERNEL], {}, places, NOW, nothing_skipped), places)
        assert row.log == f"logs/{RELEASE}/log.html"
        assert (places.out / row.log).exists()
        assert (places.out / "logs" / RELEASE / "result.json").exists()
