"""Run as a script: answers on a listening socket and connects each caller to a port inside a network namespace.

Words: the descriptor of the socket, a process that is in the namespaces, the port. It ends with its caller, by SIGKILL.
"""

import ctypes
import os
import socket
import sys
import threading
from contextlib import suppress

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _serve(caller: socket.socket, port: int) -> None:
    with caller, socket.socket() as service:
        try:
            service.connect(("127.0.0.1", port))
        except OSError:
            return
        back = threading.Thread(target=_copy, args=(service, caller), daemon=True)
        back.start()
        _copy(caller, service)
        back.join()


def main() -> None:
    """Enter the namespaces and serve until killed."""
    descriptor, process, port = map(int, sys.argv[1:])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    for name, kind in (("user", _CLONE_NEWUSER), ("net", _CLONE_NEWNET)):
        entered = os.open(f"/proc/{process}/ns/{name}", os.O_RDONLY)
        if libc.setns(entered, kind):
            raise OSError(ctypes.get_errno(), f"setns: {name}")
        os.close(entered)
    listener = socket.socket(fileno=descriptor)
    while True:
        caller, _ = listener.accept()
        threading.Thread(target=_serve, args=(caller, port), daemon=True).start()


if __name__ == "__main__":
    main()
