"""The client of QEMU's monitor."""

import json

from tools.vm.monitor import Monitor


def test_it_negotiates_and_interrupts() -> None:
    sent: list[bytes] = []
    Monitor(sent.append).inject_nmi()
    assert [json.loads(line)["execute"] for line in sent] == ["qmp_capabilities", "inject-nmi"]


def test_it_says_why_the_machine_ended() -> None:
    monitor = Monitor(lambda data: None)
    said = b'{"QMP": {"version": {}}}\r\n{"return": {}}\r\n{"event": "RESET", "data": {"guest": true}}\r\n'
    said += b'{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}\r\n'
    for start in range(0, len(said), 7):
        assert not monitor.shutdown
        monitor.feed(said[start : start + 7])
    assert monitor.shutdown == "guest-reset"
