"""A full disk is a failure of its own kind, told once."""

import os
from pathlib import Path

import pytest

from tools.vm.failure import Failure
from tools.vm.output import OutputFile, disk_failure


def test_what_is_written_is_there_at_once(tmp_path: Path) -> None:
    lost: list[Failure] = []
    file = OutputFile(tmp_path / "x", lost.append)
    file.write(b"one ")
    assert (tmp_path / "x").read_bytes() == b"one "
    file.write(b"two")
    file.close()
    file.write(b"three")
    file.close()
    assert (tmp_path / "x").read_bytes() == b"one two"
    assert lost == []


def test_a_full_disk_is_told_once(tmp_path: Path) -> None:
    # What is written to this device never finds room.
    (tmp_path / "serial-vm.log").symlink_to("/dev/full")
    lost: list[Failure] = []
    file = OutputFile(tmp_path / "serial-vm.log", lost.append)
    file.write(b"one")
    file.write(b"two")
    assert [(failure.kind, failure.reason) for failure in lost] == [
        ("disk", "cannot write serial-vm.log: no space left; make room where the test's outputs go, and run it again")
    ]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OutputFile(tmp_path / "none" / "x", lambda failure: None)


def test_other_errors_say_what_they_are() -> None:
    error = OSError(5, os.strerror(5))
    assert disk_failure("events.jsonl", error).reason == "cannot write events.jsonl: Input/output error"
