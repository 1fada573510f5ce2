"""systemd finds nothing wrong with the units of //farm:configuration: `systemd-analyze verify` in a locked root."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tools.farm.deployment import write_deployment
from tools.farm.settings import Settings

# One of systemd's folders for units; it writes beside it.
_PLACE = "/run/systemd/system"
RUNTIME = Path("../tool_runtime").absolute()
# It looks for commands outside of the units' RootDirectory; tests/farm/deployment_test.py runs them inside.
_ELSEWHERE = " is not executable: No such file or directory"


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units of a server and of a worker."""
    (tmp_path / "token").write_text("t")
    settings = Settings(2, server="grpcs://farm.example.org:8980", token=str(tmp_path / "token"))
    write_deployment("server", Settings(0), Path("farm"), tmp_path / "server")
    write_deployment("worker", settings, Path("farm"), tmp_path / "worker")
    return sorted(tmp_path.glob("*/systemd/*.service"))


def complaints(units: Iterable[Path], folder: Path) -> list[str]:
    """What systemd says of units."""
    command = [RUNTIME / "bin/python3", "-ISB", Path("tools/roots/run_in_root.pyz").absolute(), "--runtime", RUNTIME]
    command += ["--layer", f"{Path('roots/systemd.tar').absolute()}=/"]
    for unit in units:
        command += ["--input", f"{unit}={_PLACE}/{unit.name}"]
    command += ["--", "systemd-analyze", "verify", "--man=no", *(f"{_PLACE}/{unit.name}" for unit in units)]
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    return [line for line in done.stderr.splitlines() if line and not line.endswith(_ELSEWHERE)]


def test_systemd_understands_every_line(units: list[Path], tmp_path: Path) -> None:
    assert len(units) == 8
    assert complaints(units, tmp_path) == []


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("KillSignal=SIGTERM", "KillSignal=SIGFOO", "Failed to parse signal name, ignoring: SIGFOO"),
        ("MountAPIVFS=", "MountApiVFS=", "Unknown key 'MountApiVFS' in section [Service], ignoring."),
    ],
)
def test_a_mistake_would_be_seen(right: str, wrong: str, complaint: str, units: list[Path], tmp_path: Path) -> None:
    unit = next(unit for unit in units if unit.name == "farm-redis.service")
    text = unit.read_text()
    assert right in text
    unit.write_text(text.replace(right, wrong))
    assert any(line.endswith(complaint) for line in complaints([unit], tmp_path))
