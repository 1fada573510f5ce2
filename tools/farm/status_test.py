"""The status for a person says what the JSON says."""

from tools.farm import status


def test_text() -> None:
    service = {"pid": 5, "child": 6, "starts": 1, "last_end": ""}
    content = {
        "running": True,
        "phase": "ready",
        "address": "grpc://127.0.0.1:8980",
        "state": "/s",
        "queued": 3,
        "executing": 1,
        "workers": [{"name": "a", "busy": True}, {"name": "b", "busy": False}],
        "actions": {"stored": 7, "hits": 3, "misses": 1, "hit_rate": 0.75},
        "cache": {"files": 2, "bytes": 2_500_000_000, "limit": 50_000_000_000, "free": 99_000_000},
        "services": {"redis": service, "casd": service | {"pid": 0, "last_end": "killed by signal 9"}},
    }
    lines = status.text(content).splitlines()
    assert "queue:   3 waiting, 1 executing" in lines
    assert "workers: 2, of which 1 busy" in lines
    assert "actions: 7 stored; since the start 4 asked for, 75% hits" in lines
    assert "cache:   2.50 GB in 2 files, of at most 50 GB; 0.1 GB free" in lines
    assert any(line.startswith("THE DISK IS FULL: make room") for line in lines)
    assert "redis:     running" in lines
    assert "casd:      NOT RUNNING; ended before: killed by signal 9" in lines


def test_no_farm() -> None:
    assert "//farm:up" in status.text({"running": False, "state": "/s"})
