"""What a machine's console has said, over all its runs: the lines, serial-MACHINE.log, and who looks on."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tools.vm.console import Line
from tools.vm.events import EventLog
from tools.vm.failure import Failure
from tools.vm.output import OutputFile


class Transcript:
    """`viewer`, where there is one, gets the bytes as they come. Raises OSError if its file can't be made."""

    def __init__(self, machine: str, out: Path, events: EventLog, lost: Callable[[Failure], None]) -> None:
        self._machine = machine
        self._events = events
        self._serial = OutputFile(out / f"serial-{machine}.log", lost)
        self.lines: list[str] = []
        self.viewer: Callable[[bytes], None] | None = None

    def bytes(self, data: bytes) -> None:
        """Note what came from the console."""
        self._serial.write(data)
        if self.viewer:
            self.viewer(data)

    def add(self, lines: Sequence[Line]) -> None:
        """Note lines that are complete."""
        for line in lines:
            self.lines.append(line.text)
            self._events.add("console", machine=self._machine, text=line.text, trouble=line.trouble)
