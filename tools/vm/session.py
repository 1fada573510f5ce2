"""One run of the driver: the machines of a plan, what they share, and how a failure stops the script."""

import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.lib.errors import UserError
from tools.vm import accelerator
from tools.vm.events import EventLog, Step
from tools.vm.failure import Failure, TestStopped
from tools.vm.loop import Loop, Stopper
from tools.vm.machine import Machine
from tools.vm.network import Switch
from tools.vm.nudge import Nudge
from tools.vm.plan import Plan
from tools.vm.result import machine_facts
from tools.vm.script import script_globals
from tools.vm.surroundings import Surroundings


class Session:
    """The machines of a test, and what they share.

    While it's armed, the first failure that the loop finds stops the script in whatever it does;
    otherwise it is kept, and `noticed` is called with it.
    """

    def __init__(
        self,
        plan: Plan,
        out: Path,
        environment: Mapping[str, str],
        user_network: str | None = None,
        closed: Callable[[Step], None] = lambda step: None,
        noticed: Callable[[Failure], None] = lambda failure: None,
    ) -> None:
        self.plan = plan
        self.out = out
        self._armed = False
        self._noticed = noticed
        self.facts: dict[str, Any] = dict(plan.facts or {})
        self.accelerator = accelerator.choose(environment)
        self.date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.stopper = Stopper(self._interrupt)
        self.events = EventLog(out / "events.jsonl", closed=closed, lost=self.stopper.stop)
        self.events.add(
            "start",
            name=plan.name,
            accel=self.accelerator.name,
            accel_reason=self.accelerator.reason,
            machines=machine_facts(plan.machines),
            date=self.date,
        )
        self.loop = Loop(self._broken)
        self._nudge = Nudge(self.loop, self._interrupted)
        shared = Surroundings(
            accelerator=self.accelerator.name,
            out=out,
            events=self.events,
            loop=self.loop,
            stopper=self.stopper,
            switches={name: Switch() for name in plan.networks},
            user_network=user_network,
        )
        self.machines = {machine.name: Machine(machine, number, shared) for number, machine in enumerate(plan.machines)}

    def start_all(self) -> None:
        """Start all machines that don't run, and wait for them."""
        new = [machine for machine in self.machines.values() if not machine.running]
        for machine in new:
            machine.power_on()
        for machine in new:
            machine.wait_for_boot()

    def record(self, key: str, value: Any) -> None:
        """Note a fact for result.json."""
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise UserError(f"record('{key}', ...): the value can't be written as JSON: {error}") from error
        self.facts[key] = value

    def names(self) -> dict[str, Any]:
        """What a script can use."""
        return script_globals(self.machines, self.events, self.record, self.start_all)

    def arm(self) -> None:
        """Begin to stop the script for failures; earlier ones are forgotten."""
        self.stopper.failure = None
        self._armed = True

    def disarm(self) -> None:
        """Don't stop anything any more."""
        self._armed = False

    def close(self) -> None:
        """End the machines and the loop."""
        self.disarm()
        for machine in self.machines.values():
            machine.kill()
        self.loop.close()

    def _interrupt(self, failure: Failure) -> None:
        if self._armed:
            self._nudge()
        else:
            self._noticed(failure)

    def _interrupted(self) -> None:
        if self._armed and self.stopper.failure:
            self._armed = False
            raise TestStopped(self.stopper.failure)

    def _broken(self, error: BaseException) -> None:
        """The loop can't go on."""
        if isinstance(error, TestStopped):
            self.stopper.stop(error.failure)
        else:
            self.stopper.stop(Failure("script", f"a defect of the driver: {type(error).__name__}: {error}"))
            raise error
