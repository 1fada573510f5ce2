"""The cache stays below its size, and what was used last stays in it."""

import os
from pathlib import Path

from tools.farm.clean import clean


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    folder = tmp_path / "cas/objects/ab"
    folder.mkdir(parents=True)
    for number in range(10):
        (folder / str(number)).write_bytes(b"x" * 10)
        os.utime(folder / str(number), (1000 + number, 1000 + number))
    os.utime(folder / "0", (5000, 1000))
    assert clean(tmp_path, 100) == (0, 100)
    assert clean(tmp_path, 50) == (6, 40)
    assert sorted(path.name for path in folder.iterdir()) == ["0", "7", "8", "9"]


def test_an_empty_cache(tmp_path: Path) -> None:
    assert clean(tmp_path, 50) == (0, 0)
