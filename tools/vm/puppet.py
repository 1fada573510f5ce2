"""A program in QEMU's place, for the unit tests: it boots in no time, and its /init is this machine's shell.

Commands that begin with `puppet:` have it misbehave. The protocols are those of tools/vm/guest/init, and of QMP.
"""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time


def _channel(name: str) -> socket.socket:
    words = " ".join(sys.argv)
    found = re.search(rf"socket,id={name},fd=(\d+)", words)
    assert found
    return socket.socket(fileno=int(found[1]))


def _say(text: str) -> None:
    print(f"[{time.monotonic() % 1000:12.6f}] {text}", flush=True)


class Puppet:
    """The machine: one command at a time, pings answered meanwhile."""

    def __init__(self) -> None:
        self.control, self.commands, self.monitor = map(_channel, ("control", "commands", "monitor"))
        self.rest = b""
        self.token = ""
        self.running: subprocess.Popen[bytes] | None = None
        self.deaf = self.keeping = False

    def live(self) -> None:
        """Until it is ended."""
        _say("Linux version 6.1.0-puppet")
        self.commands.sendall(b"ready\n")
        while True:
            channels = [self.commands, self.monitor] + ([] if self.deaf else [self.control])
            for channel in select.select(channels, [], [], 0.02)[0]:
                data = channel.recv(65536)
                if not data:
                    return
                if channel is self.control:
                    self.obey(data)
                elif channel is self.commands:
                    self.rest += data
                elif b"inject-nmi" in data:
                    _say("Kernel panic - not syncing: NMI: Not continuing")
                    return
            self.work()

    def obey(self, data: bytes) -> None:
        """The control line."""
        for line in data.decode().splitlines():
            word, _, argument = line.partition(" ")
            if word == "ping":
                self.control.sendall(f"pong {argument}\n".encode())
            elif word == "kill" and self.running and not self.keeping:
                os.killpg(int(argument), signal.SIGKILL)
            elif word == "poweroff":
                self.monitor.sendall(b'{"event": "SHUTDOWN", "data": {"reason": "guest-shutdown"}}\n')
                sys.exit(0)

    def work(self) -> None:
        """Begin a command, or end the one that runs."""
        if self.running and (code := self.running.poll()) is not None and not (self.deaf or self.keeping):
            assert self.running.stdout
            self.commands.sendall(self.running.stdout.read() + f"{self.token} {code & 255}\n".encode())
            self.running = None
        head, newline, lines = self.rest.partition(b"\n")
        if self.running or not newline:
            return
        self.token, number = head.decode().split()[:2]
        *command, rest = lines.split(b"\n", int(number))
        if len(command) < int(number):
            return
        self.rest, text = rest, b"\n".join(command).decode()
        if text == "puppet: hang":
            self.deaf = True
        elif text == "puppet: keep":
            self.keeping = True
        elif text == "puppet: exit":
            sys.exit("qemu: exit was asked for")
        elif text.startswith("puppet: stall"):
            _say("rcu: INFO: rcu_preempt self-detected stall on CPU")
            self.deaf = "hang" in text
        self.running = subprocess.Popen(["sh", "-c", text], stdout=subprocess.PIPE, process_group=0)
        self.commands.sendall(f"{self.running.pid}\n".encode())


if __name__ == "__main__":
    Puppet().live()
