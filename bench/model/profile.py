"""Read from Bazel's profile (--profile) what each action's process took.

Format: the Trace Event Format, as chrome://tracing reads it; times in microseconds. The build must
have had --experimental_profile_include_primary_output, which is how an action is known again.
"""

import gzip
import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.lib.errors import UserError

OPTIONS = ("--experimental_profile_include_primary_output", "--slim_profile=false")
# The process of an action: in the sandbox, by a persistent worker, or as the farm said.
_SANDBOX = ("general information", "subprocess.run")
_PROCESSES = ("waiting for response from worker", "Remote execution process wall time")


@dataclass(frozen=True)
class Span:
    """From when to when something was done, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long."""
        return self.end - self.start


@dataclass(frozen=True)
class Measured:
    """One action of a profile: all of it in the client's eyes, and its phases by Bazel's name of them."""

    whole: Span
    phases: Mapping[str, Span]

    @property
    def process(self) -> float | None:
        """Seconds of its process; None when it ran none (a cache hit)."""
        found = self.phases.get("process")
        return found.seconds if found else None


def load(path: Path) -> dict[str, Any]:
    """The profile's content. Raises UserError when it isn't one."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            content: dict[str, Any] = json.load(stream)
    except (OSError, EOFError, ValueError) as error:
        raise UserError(f"{path}: not a profile of Bazel's: {error}; make one with --profile={path}") from error
    if "traceEvents" not in content:
        raise UserError(f"{path}: not a profile of Bazel's: it has no traceEvents; make one with --profile={path}")
    return content


def actions(content: Mapping[str, Any]) -> dict[str, Measured]:
    """The actions of a profile by the path of their primary output."""
    threads: dict[int, list[tuple[float, float, str]]] = {}
    for event in content["traceEvents"]:
        if event.get("cat") == "action processing" and "out" in event:
            threads.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"], event["out"]))
    found: dict[str, Measured] = {}
    phases: dict[str, dict[str, Span]] = {}
    for spans in threads.values():
        spans.sort()
        for start, end, name in spans:
            phases[name] = {}
            found[name] = Measured(Span(start / 1e6, end / 1e6), phases[name])
    for event in content["traceEvents"]:
        spans = threads.get(event.get("tid"), [])
        if event.get("ph") != "X" or not spans:
            continue
        place = bisect_right(spans, (event["ts"], float("inf"), "")) - 1
        if place >= 0 and event["ts"] < spans[place][1]:
            kind = (event.get("cat", ""), event["name"])
            span = Span(event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6)
            name = "process" if kind == _SANDBOX or kind[0] in _PROCESSES else kind[1]
            if name != "process" and not kind[0].lower().startswith("remote"):
                continue
            phases[spans[place][2]].setdefault(name, span)
    return found


def seconds(content: Mapping[str, Any]) -> dict[str, float]:
    """What each action's process took."""
    return {name: each.process for name, each in actions(content).items() if each.process is not None}
