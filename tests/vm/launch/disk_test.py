"""A full disk ends a test with one message, whoever meets it, and nothing is left of the test."""

import os
from pathlib import Path

import pytest

from tests.vm.launch.started import started

_KIB = 1024


def _on_a_small_disk(folder: Path, size: int) -> list[str]:
    """The words before a program that give it a disk of this size at the folder, and list what is on it in the end."""
    return [
        os.path.abspath(os.environ["BWRAP"]),
        *("--die-with-parent", "--dev-bind", "/", "/", "--size", str(size), "--tmpfs", str(folder), "--"),
        *("sh", "-c", '"$0"; code=$?; cd "$1"; echo LEFT: $(ls -A); exit $code'),
    ]


@pytest.mark.parametrize(
    ("program", "size", "what"),
    [
        # The machine's console fills it, while it boots.
        ("NOISY", 32 * _KIB, r"cannot write (events.jsonl|serial-vm.log): no space left; make room"),
        # What commands print fills it.
        ("NOISY", 250 * _KIB, r"cannot write events.jsonl: no space left; make room"),
        # The test passes, and its report has no place.
        ("QUICK", 100 * _KIB, r"/out/log.html: cannot write: No space left on device; make room"),
    ],
)
def test_a_full_disk(program: str, size: int, what: str, tmp_path: Path) -> None:
    around = _on_a_small_disk(tmp_path / "out", size)
    with started(tmp_path, terminal=False, program=program, around=around) as test:
        test.expect(r"LEFT: .*\n")
        assert test.wait() == 1
        test.assert_nothing_left()
        lines = test.output.splitlines()
    assert "Traceback" not in test.output and "defect" not in test.output
    said = test.expect(rf"FAILED: {what} where the test's outputs go, and run it again\n").strip()
    assert lines[-2] == said
    # Nothing that is half of itself, and nothing that says it has passed.
    left = lines[-1].split()[1:]
    assert {"log.html", "junit.xml"}.isdisjoint(left)
    assert not [name for name in left if name.startswith(".")]
    assert program != "QUICK" or "result.json" not in left
