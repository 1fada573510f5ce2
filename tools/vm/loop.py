"""The thread that reads from the machines, whatever the script does meanwhile.

Everything that it calls holds `changed`, the one lock of the driver: who waits for something on the
script's side waits on `changed`, and is woken after each call.
"""

import os
import selectors
import socket
import threading
import time
from collections.abc import Callable

from tools.vm.failure import Failure

_PIECE = 65536
_TICK = 0.1  # seconds


class Loop:
    """Calls back when a descriptor can be read, and `tick` about every tenth of a second.

    `broken` gets what a callback raises: the loop can't go on without it.
    """

    def __init__(self, broken: Callable[[BaseException], None]) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.tick: list[Callable[[float], None]] = []
        self._broken = broken
        self._selector = selectors.DefaultSelector()
        self._wake_reading, self._wake_writing = os.pipe()
        self._selector.register(self._wake_reading, selectors.EVENT_READ, lambda: None)
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self._thread.start()

    def watch(self, descriptor: int, readable: Callable[[], None]) -> None:
        """Call `readable` whenever the descriptor can be read."""
        self._selector.register(descriptor, selectors.EVENT_READ, readable)
        self.wake()

    def want_to_write(self, descriptor: int, wanted: bool, both: Callable[[], None]) -> None:
        """Whether `both` is called, too, when the descriptor can be written."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if wanted else 0)
        self._selector.modify(descriptor, events, both)
        self.wake()

    def forget(self, descriptor: int) -> None:
        """Don't watch the descriptor any more; it needn't be watched."""
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def wake(self) -> None:
        """Have the loop see what has changed."""
        if threading.current_thread() is not self._thread:
            os.write(self._wake_writing, b"x")

    def close(self) -> None:
        """End the thread."""
        self._ending = True
        self.wake()
        self._thread.join()

    def _run(self) -> None:
        next_tick = time.monotonic()
        try:
            while not self._ending:
                ready = self._selector.select(max(0.0, next_tick - time.monotonic()))
                with self.changed:
                    for key, _ in ready:
                        if key.fd == self._wake_reading:
                            os.read(self._wake_reading, _PIECE)
                        # An earlier callback may have closed this one's descriptor.
                        elif key.fd in self._selector.get_map():
                            key.data()
                    if (now := time.monotonic()) >= next_tick:
                        next_tick = now + _TICK
                        for tick in list(self.tick):
                            tick(now)
                    self.changed.notify_all()
        except BaseException as error:
            self._broken(error)


class Stream:
    """A socket to QEMU: what comes in goes to `received`, what is sent waits until it is taken."""

    def __init__(self, loop: Loop, received: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._received = received
        self._own, self.other = socket.socketpair()
        self._own.setblocking(False)
        self._waiting = bytearray()
        self.is_open = True
        loop.watch(self._own.fileno(), self._ready)

    @property
    def waiting(self) -> int:
        """How many bytes haven't been taken yet."""
        return len(self._waiting)

    def send(self, data: bytes) -> None:
        """Send bytes; they are lost if nobody is there any more."""
        if self.is_open:
            idle = not self._waiting
            self._waiting += data
            if idle:
                self._flush()
                if self.is_open and self._waiting:
                    self._loop.want_to_write(self._own.fileno(), True, self._ready)

    def close(self) -> None:
        """Close the socket."""
        if self.is_open:
            self.is_open = False
            self._loop.forget(self._own.fileno())
            self._own.close()
            self.other.close()

    def drain(self) -> None:
        """Receive what has come in already."""
        while self.is_open and self._receive():
            pass

    def _ready(self) -> None:
        if self._waiting:
            self._flush()
            if self.is_open and not self._waiting:
                self._loop.want_to_write(self._own.fileno(), False, self._ready)
        if self.is_open:
            self._receive()

    def _receive(self) -> bool:
        try:
            data = self._own.recv(_PIECE)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            return False
        self._received(data)
        return True

    def _flush(self) -> None:
        try:
            del self._waiting[: self._own.send(self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self.close()


class Stopper:
    """Stops the script for the first failure that anybody finds.

    `stop` may be called from any thread; `interrupt` is called with the first failure.
    """

    def __init__(self, interrupt: Callable[[Failure], None]) -> None:
        self._interrupt = interrupt
        # A signal's handler may stop the script while the same thread does.
        self._lock = threading.RLock()
        self.failure: Failure | None = None

    def stop(self, failure: Failure) -> None:
        """The test has failed."""
        with self._lock:
            if self.failure:
                return
            self.failure = failure
        self._interrupt(failure)
