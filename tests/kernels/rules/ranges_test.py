"""Starlark's rule of ranges (kernels/private/lines.bzl) and Python's are one."""

import json
import os
from pathlib import Path

from tools.kernels.source import in_range


def test_both_say_the_same() -> None:
    rows = json.loads(Path(os.environ["RANGES"]).read_text())
    assert {inside for _, _, inside in rows} == {True, False}
    assert [row for row in rows if in_range(row[1], row[0]) is not row[2]] == []
