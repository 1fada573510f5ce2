"""Sources of a container: which are mounted, how they are lent, how logs are read."""

import os
from pathlib import Path

import pytest

from tools.containers.dev import Lent, Source, fingerprint, sort_sources, split_log
from tools.lib.errors import UserError


def test_the_highest_layer_s_source_is_mounted() -> None:
    def entry(file: str, place: str, mountable: bool = True, mode: str = "") -> dict[str, object]:
        return {"file": file, "place": place, "mode": mode, "mountable": mountable}

    entries = [entry("low.sh", "/a"), entry("made", "/b", False), entry("high.sh", "/a", mode="0755"), entry("c", "/c")]
    sources, others = sort_sources(entries, Path("/checkout"))
    assert sources == [
        Source(Path("/checkout/high.sh"), "/a", 0o755),
        Source(Path("/checkout/c"), "/c", 0o644),
    ]
    assert others == ["/b"]


def test_what_is_lent_comes_back(tmp_path: Path) -> None:
    program, secret = tmp_path / "program", tmp_path / "secret"
    for file in (program, secret):
        file.touch(mode=0o600)
    before = [file.stat() for file in (program, secret)]
    lent = Lent([Source(program, "/program", 0o755), Source(secret, "/secret", 0o640)], os.getgid())
    lent.lend()
    modes = [oct(file.stat().st_mode & 0o777) for file in (program, secret)]
    assert (lent.refused, modes) == (False, ["0o775", "0o660"])
    replaced = tmp_path / "replaced"
    replaced.touch(mode=0o600)
    replaced.rename(program)
    lent.lend()
    assert program.stat().st_mode & 0o777 == 0o775
    lent.give_back()
    assert [(file.stat().st_mode, file.stat().st_gid) for file in (program, secret)] == [
        (status.st_mode, status.st_gid) for status in before
    ]


def test_a_group_that_one_isn_t_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, user: int, group: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    file = tmp_path / "file"
    file.touch(mode=0o644)
    lent = Lent([Source(file, "/file", 0o644)], os.getgid() + 1)
    lent.lend()
    assert (lent.refused, file.stat().st_mode & 0o777) == (True, 0o664)


def test_a_source_that_isn_t_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none: cannot share it with the container: No such file"):
        Lent([Source(tmp_path / "none", "/none", 0o644)]).lend()


def test_writing_and_replacing_are_seen(tmp_path: Path) -> None:
    sources = [Source(tmp_path / "file", "/file", 0o644)]
    assert fingerprint(sources) == {}
    sources[0].file.write_text("one")
    first = fingerprint(sources)
    assert fingerprint(sources) == first
    (tmp_path / "other").write_text("two")
    (tmp_path / "other").rename(sources[0].file)
    assert fingerprint(sources) != first


def test_a_log_in_pieces() -> None:
    data = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x03err\x01\0\0\0\0\0\0\x09un"
    assert split_log(data) == ([(1, b"out"), (2, b"err")], b"\x01\0\0\0\0\0\0\x09un")
    assert split_log(data[:5]) == ([], data[:5])
