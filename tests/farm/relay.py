"""A relay between Bazel and a farm's server, which can hold what is to be executed: PORT SERVER_PORT FOLDER.

While FOLDER has a file `hold`, no Execute goes on to the server; `held` is there when one waits. All else is passed on
as it is. Runs in the server's root, which has gRPC.
"""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

# Passing on what isn't known takes more than the types of gRPC's stubs allow.
RPC: Any = grpc
PORT, SERVER_PORT, FOLDER = sys.argv[1:]
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Relay:
    """Passes every call on."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def service(self, details: Any) -> Any:
        """How to answer one call."""
        call = self._channel.stream_stream(details.method)
        sent = [(key, value) for key, value in details.invocation_metadata if not key.startswith(("grpc-", "user-"))]

        def answer(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
            while details.method.endswith("/Execute") and Path(FOLDER, "hold").exists():
                Path(FOLDER, "held").touch()
                time.sleep(0.05)
            answers = call(requests, metadata=sent)
            context.add_callback(answers.cancel)
            try:
                yield from answers
            except RPC.RpcError as error:
                context.set_trailing_metadata(error.trailing_metadata())
                context.abort(error.code(), error.details())

        return RPC.stream_stream_rpc_method_handler(answer)


if __name__ == "__main__":
    server = RPC.server(ThreadPoolExecutor(50), options=UNLIMITED)
    server.add_generic_rpc_handlers((Relay(RPC.insecure_channel(f"127.0.0.1:{SERVER_PORT}", options=UNLIMITED)),))
    server.add_insecure_port(f"127.0.0.1:{PORT}")
    server.start()
    server.wait_for_termination()
