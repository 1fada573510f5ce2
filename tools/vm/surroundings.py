"""What all machines of a test share."""

from dataclasses import dataclass
from pathlib import Path

from tools.vm.events import EventLog
from tools.vm.loop import Loop, Stopper
from tools.vm.network import Switch


@dataclass
class Surroundings:
    """`accelerator` is QEMU's word for it; `switches` are the networks by name; `user_network` is for the first one."""

    accelerator: str
    out: Path
    events: EventLog
    loop: Loop
    stopper: Stopper
    switches: dict[str, Switch]
    user_network: str | None = None
