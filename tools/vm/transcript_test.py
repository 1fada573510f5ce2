"""What a console has said is in the log, in its file, and with who looks on."""

import json
from pathlib import Path

from tools.vm.console import Line
from tools.vm.events import EventLog
from tools.vm.failure import Failure
from tools.vm.transcript import Transcript


def test_lines_and_bytes(tmp_path: Path) -> None:
    lost: list[Failure] = []
    transcript = Transcript("left", tmp_path, EventLog(tmp_path / "events.jsonl"), lost.append)
    seen = bytearray()
    transcript.bytes(b"one\r\n")
    transcript.viewer = seen.extend
    transcript.bytes(b"t\xffwo\r\n")
    transcript.add([Line("one"), Line("two", trouble=True)])
    assert (tmp_path / "serial-left.log").read_bytes() == b"one\r\nt\xffwo\r\n"
    assert bytes(seen) == b"t\xffwo\r\n"
    assert transcript.lines == ["one", "two"]
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [(event["machine"], event["text"], event["trouble"]) for event in events] == [
        ("left", "one", False),
        ("left", "two", True),
    ]
    assert lost == []


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "serial-left.log").symlink_to("/dev/full")
    lost: list[Failure] = []
    transcript = Transcript("left", tmp_path, EventLog(tmp_path / "events.jsonl"), lost.append)
    transcript.bytes(b"one\n")
    assert [failure.kind for failure in lost] == ["disk"]
