"""Develop in a container: its sources are mounted over their places, and the service restarts when one of them changes.

docs/hacking-containers.md is the how-to.
"""

import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.containers.engine import Engine, EngineError
from tools.containers.image import Image
from tools.containers.local import LABEL as LOADED
from tools.lib.errors import UserError

EDITOR = 65753  # the group `editor`
LABEL = "contrail-forge.dev"  # on a container, and on the state that is kept of it: the ID of its image
_TAG = "committed"
_POLL = 0.3  # seconds between two looks at the sources
_STOP = 10  # seconds that a service has to end
_STREAMS = {1: sys.stdout, 2: sys.stderr}
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_HEADER = 8  # bytes before each piece of a log: stream, three zeros, size
_ASKED = (
    "the sources keep their group: only members may give it away. To share them: sudo groupadd -g {group} editor; "
    "sudo usermod -aG editor $USER; log in anew (docs/hacking-containers.md)"
)


@dataclass(frozen=True)
class Source:
    """A file of the checkout, its place in the container, and the mode that the layer gives it."""

    file: Path
    place: str
    mode: int


def sort_sources(entries: Iterable[Mapping[str, Any]], checkout: Path) -> tuple[list[Source], list[str]]:
    """What can be mounted, and the places of what can't: generated files and templates.

    `entries` are {"file": path in the checkout, "place", "mode": octal digits or "", "mountable"}, lowest layer first.
    """
    highest = {entry["place"]: entry for entry in entries}
    sources = [
        Source(checkout / entry["file"], place, int(entry["mode"] or "0644", 8))
        for place, entry in sorted(highest.items())
        if entry["mountable"]
    ]
    return sources, sorted(place for place, entry in highest.items() if not entry["mountable"])


class Lent:
    """Sources that belong to the group `editor` until `give_back`: it may write them, and whom the layer's mode lets
    read or execute them may do so."""

    def __init__(self, sources: Sequence[Source], group: int = EDITOR) -> None:
        self._sources, self._group = sources, group
        self._before: dict[Path, tuple[int, int]] = {}
        self.refused = False  # whether a file has kept its group

    def lend(self) -> None:
        """Do it, and for those that were replaced since, once more. Raises UserError when a mode can't be changed."""
        for source in self._sources:
            try:
                status = source.file.stat()
                mode = stat.S_IMODE(status.st_mode)
                self._before.setdefault(source.file, (mode, status.st_gid))
                if status.st_gid != self._group:
                    try:
                        os.chown(source.file, -1, self._group)
                    except OSError:
                        self.refused = True
                wanted = mode | 0o660 | (source.mode & 0o555)
                if wanted != mode:
                    source.file.chmod(wanted)
            except OSError as error:
                raise UserError(f"{source.file}: cannot share it with the container: {error.strerror}") from error

    def give_back(self) -> None:
        """Give each its mode and group of before."""
        for file, (mode, group) in self._before.items():
            with suppress(OSError):
                os.chown(file, -1, group)
            with suppress(OSError):
                file.chmod(mode)


def fingerprint(sources: Iterable[Source]) -> dict[Path, tuple[int, int, int]]:
    """What changes when a source is written or replaced; it lacks those that aren't there."""
    found = {}
    for source in sources:
        with suppress(OSError):
            status = source.file.stat()
            found[source.file] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


def split_log(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole pieces of a log, each with its stream (1 or 2), and what is left of one (Docker Engine API, "Stream
    format")."""
    pieces = []
    while len(data) >= _HEADER:
        end = _HEADER + int.from_bytes(data[4:_HEADER], "big")
        if len(data) < end:
            break
        pieces.append((data[0], data[_HEADER:end]))
        data = data[end:]
    return pieces, data


def container_name(name: str) -> str:
    """What the container of an image is called."""
    return f"{name.replace('/', '-')}.dev"


def commit(engine: Engine, name: str) -> str:
    """Keep the state of the container that is being developed in; its name, NAME:committed.

    Its volumes, and what is mounted, don't belong to it. Raises UserError when there is none.
    """
    try:
        engine.json("GET", f"/containers/{container_name(name)}/json")
    except EngineError as error:
        if error.status != 404:
            raise
        raise UserError(f"nobody develops in {name}; start it, in another terminal: NAME.dev") from error
    # Without a pause, for which a daemon needs control groups: what a service writes belongs in volumes.
    words = f"container={container_name(name)}&repo={quote(name)}&tag={_TAG}&pause=false"
    identity: str = engine.json("POST", f"/commit?{words}", {})["Id"]
    engine.call("POST", f"/images/{identity}/tag?repo={LOADED}&tag={identity.removeprefix('sha256:')}")
    return f"{name}:{_TAG}"


@dataclass
class Development:
    """A container of an image that is in the daemon, with its sources; `env` are NAME=VALUE."""

    engine: Engine
    name: str
    image: Image
    sources: Sequence[Source]
    network: str = "host"
    env: Sequence[str] = ()
    fresh: bool = False
    _stopped: threading.Event = field(default_factory=threading.Event)
    _log: threading.Thread | None = None

    def run(self) -> None:
        """Run it until SIGINT, SIGTERM or SIGHUP, and leave nothing of it.

        Raises UserError when it can't be started, or is removed by others.
        """
        lent = Lent(self.sources)
        before = {number: signal.signal(number, self._stop) for number in _ENDING}
        try:
            self._remove()
            lent.lend()
            if lent.refused:
                self._say(_ASKED.format(group=EDITOR))
            self._create()
            self._start()
            self._watch(lent)
        finally:
            self._remove()
            lent.give_back()
            for number, handler in before.items():
                signal.signal(number, handler)
        self._say("ended; its container is removed")

    def _stop(self, number: int, frame: object) -> None:
        self._stopped.set()

    def _say(self, text: str) -> None:
        print(f"{self.name}.dev: {text}", file=sys.stderr, flush=True)

    @property
    def _path(self) -> str:
        return f"/containers/{container_name(self.name)}"

    def _remove(self) -> None:
        try:
            self.engine.call("DELETE", f"{self._path}?force=true&v=true")
        except EngineError as error:
            if error.status != 404:
                raise
        if self._log:
            self._log.join()

    def _origin(self) -> str:
        """The image, or what `commit` has kept of a container of it."""
        identity = self.image.config.digest
        kept = f"{self.name}:{_TAG}"
        if self.fresh:
            return identity
        try:
            labels = self.engine.json("GET", f"/images/{kept}/json")["Config"].get("Labels") or {}
        except EngineError as error:
            if error.status != 404:
                raise
            return identity
        if labels.get(LABEL) != identity:
            self._say(f"{kept} is of another build; starting from the image")
            return identity
        self._say(f"starting from {kept}; --fresh starts from the image")
        return kept

    def _create(self) -> None:
        mounts = [
            {"Type": "bind", "Source": str(source.file.resolve()), "Target": source.place} for source in self.sources
        ]
        settings = {
            "Image": self._origin(),
            "Env": list(self.env),
            "Labels": {LABEL: self.image.config.digest},
            "HostConfig": {"NetworkMode": self.network, "GroupAdd": [str(EDITOR)], "Mounts": mounts},
        }
        self.engine.json("POST", f"/containers/create?name={container_name(self.name)}", settings)

    def _start(self) -> None:
        since = time.time()
        self.engine.call("POST", f"{self._path}/start")
        self._log = threading.Thread(target=self._follow, args=(since,), daemon=True)
        self._log.start()

    def _follow(self, since: float) -> None:
        """Print the log of one run of the service, to its end."""
        words = f"follow=true&stdout=true&stderr=true&since={since:.9f}"
        left = b""
        with suppress(UserError, OSError):
            for data in self.engine.stream("GET", f"{self._path}/logs?{words}", patience=None):
                pieces, left = split_log(left + data)
                for number, text in pieces:
                    stream = _STREAMS.get(number, sys.stdout)
                    stream.buffer.write(text)
                    stream.flush()

    def _watch(self, lent: Lent) -> None:
        known, running = fingerprint(self.sources), True
        self._say(f"runs with {len(self.sources)} sources mounted, and restarts when one changes; Ctrl-C ends it")
        while not self._stopped.wait(_POLL):
            state = self._state()
            if running and not state["Running"]:
                running = False
                self._say(f"the service ended with code {state['ExitCode']}; it starts again when a source changes")
            found = fingerprint(self.sources)
            if found == known or len(found) < len({source.file for source in self.sources}):
                continue
            if self._stopped.wait(_POLL):
                return
            if fingerprint(self.sources) != found:
                continue  # it is being written
            changed = sorted(str(file) for file in found if found[file] != known.get(file))
            self._say(f"{', '.join(changed)} changed: restarting")
            known, running = found, self._restart(lent)

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = self.engine.json("GET", f"{self._path}/json")["State"]
            return state
        except EngineError as error:
            if error.status != 404:
                raise
            raise UserError(f"somebody removed the container {container_name(self.name)}; start it anew") from error

    def _restart(self, lent: Lent) -> bool:
        """Whether the service has started again. A file that was replaced is mounted anew by it."""
        self.engine.call("POST", f"{self._path}/stop?t={_STOP}")
        if self._log:
            self._log.join()
        lent.lend()
        try:
            self._start()
        except EngineError as error:
            self._say(f"{error}; it starts again when a source changes")
            return False
        return True
