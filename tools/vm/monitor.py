"""QEMU's monitor protocol (QMP, docs/interop/qmp-spec.txt): JSON lines, of which two things are of use.

The monitor says why a machine ended, and can interrupt one that doesn't answer.
"""

import json
from collections.abc import Callable
from typing import Any


class Monitor:
    """The client; `send` sends bytes to QEMU.

    shutdown: why the machine ended, QEMU's word for it (RunState's ShutdownCause), or "".
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._rest = b""
        self.shutdown = ""
        self._execute("qmp_capabilities")

    def inject_nmi(self) -> None:
        """Give the machine a non-maskable interrupt: its kernel panics, and says where it was."""
        self._execute("inject-nmi")

    def feed(self, data: bytes) -> None:
        """Take what QEMU says."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in filter(bytes.strip, lines):
            message: dict[str, Any] = json.loads(line)
            if message.get("event") == "SHUTDOWN":
                self.shutdown = message.get("data", {}).get("reason", "")

    def _execute(self, command: str) -> None:
        self._send(json.dumps({"execute": command}).encode() + b"\n")
