"""A lock has one text, and a damaged one is a clear error."""

from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.lib.locks import Lock, Package, read_lock, write_lock

FIRST = Package("", "bash", "5.2", "amd64", "a" * 64, 10, "debian", "pool/main/b/bash.deb")
EXTRA = Package("scons", "scons", "4.4", "all", "b" * 64, 20, "debian", "pool/main/s/scons.deb")


def test_order_doesn_t_matter_and_reading_gives_back(tmp_path: Path) -> None:
    lock = Lock("demo", (EXTRA, FIRST), exclude=("usr/share/doc",), links={"usr/bin/awk": "mawk"})
    assert lock.to_json() == Lock("demo", (FIRST, EXTRA), exclude=lock.exclude, links=lock.links).to_json()
    write_lock(tmp_path / "demo.lock.json", lock)
    found = read_lock(tmp_path / "demo.lock.json")
    assert set(found.packages) == {FIRST, EXTRA}
    assert (found.name, tuple(found.exclude), dict(found.links)) == ("demo", lock.exclude, dict(lock.links))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n  "schema": 1,\n', r"lock\.json:3: not JSON"),
        ('{"schema": 9, "packages": []}', "expected a lock with schema 1"),
        ('{"schema": 1, "name": "x", "packages": [{"name": "a"}]}', "a package entry is not as expected"),
    ],
)
def test_damage_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "lock.json"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_lock(path)


def test_a_missing_lock_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such lock file; make it with: ./bazelw run //roots:update"):
        read_lock(tmp_path / "none.lock.json")
