"""The summary counts each kernel's own actions, and says which kernels weren't built."""

from pathlib import Path
from typing import Any

from tools.kernels.summary import action_seconds, rows_of, table_of

KERNELS: list[dict[str, Any]] = [
    {"release": "6.1.0-1-amd64", "line": "6.1", "flavour": "amd64", "compiler": "gcc-12"},
    {"release": "6.1.0-2-amd64", "line": "6.1", "flavour": "amd64", "compiler": "gcc-12", "missing": ["linux-headers"]},
]


def test_seconds_are_summed_over_the_actions_of_one_kernel() -> None:
    events = [
        {"cat": "action processing", "name": "Collecting the headers of kernel 6.1.0-1-amd64", "dur": 500000},
        {"cat": "action processing", "name": "Building //vrouter:vrouter for kernel 6.1.0-1-amd64", "dur": 2000000},
        {"cat": "action processing", "name": "Planning //vrouter:vrouter for kernel 6.1.0-1-amd64", "dur": 250000},
        {"cat": "action processing", "name": "Compiling a.c of //a:b for kernel 6.1.0-1-amd64", "dur": 125000},
        {"cat": "action processing", "name": "Archiving root kbuild-bookworm", "dur": 7000000},
        {"cat": "general information", "name": "Building //vrouter:vrouter for kernel 6.1.0-1-amd64", "dur": 9},
    ]
    assert action_seconds(events) == {"6.1.0-1-amd64": 2.875}


def test_rows_tell_built_cached_and_gone(tmp_path: Path) -> None:
    (tmp_path / "6.1.0-1-amd64").mkdir()
    (tmp_path / "6.1.0-1-amd64/vrouter.ko").write_bytes(b"12345")
    rows = rows_of(KERNELS, tmp_path, {})
    assert [(row.size, row.seconds) for row in rows] == [(5, None), (None, None)]
    text = table_of(rows)
    assert "| 5 " in text
    assert "cached" in text
    assert "packages gone from the mirror" in text
