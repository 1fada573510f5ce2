"""Asks what is at an address: a server of the Remote Execution API, or something else.

Runs in the server's root, which has gRPC and the API's messages; tools/farm/check.py says what the
answer means.
"""

import json
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2, remote_execution_pb2_grpc

from tools.lib.cli import run

_SECONDS = 10.0
_BANNER_SECONDS = 2.0


def banner(host: str, port: int) -> str:
    """The first line that whatever listens there says to a simple request; "" for nothing."""
    try:
        with socket.create_connection((host, port), _SECONDS) as connection:
            connection.settimeout(_BANNER_SECONDS)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            said = connection.recv(200)
    except OSError:
        return ""
    line = said.decode("latin-1").partition("\n")[0]
    return "".join(letter for letter in line if letter.isascii() and letter.isprintable()).strip()


def _handshake(host: str, port: int, context: ssl.SSLContext) -> str:
    """The protocol that the server chose in TLS, "" for none. Raises ssl.SSLError and OSError."""
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host, port), _SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        return secured.selected_alpn_protocol() or ""


def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        _handshake(host, port, context)
    except OSError:
        return False
    return True


def _version(version: Any) -> list[int]:
    return [version.major, version.minor]


def _ask(host: str, port: int, authority: bytes, token: str) -> dict[str, Any]:
    """What the server says of itself, or how it refuses."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if authority:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(authority))
    else:
        channel = grpc.insecure_channel(address)
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with channel:
        stub = remote_execution_pb2_grpc.CapabilitiesStub(channel)
        try:
            said = stub.GetCapabilities(
                remote_execution_pb2.GetCapabilitiesRequest(), timeout=_SECONDS, metadata=metadata
            )
        except grpc.RpcError as error:
            return {"found": error.code().name, "detail": error.details()}
    return {
        "found": "OK",
        "low": _version(said.low_api_version),
        "high": _version(said.high_api_version),
        "digests": list(said.cache_capabilities.digest_functions),
        "executes": said.execution_capabilities.exec_enabled,
    }


def probe(host: str, port: int, authority: bytes, token: str) -> dict[str, Any]:
    """What is there; with TLS when there are certificates to trust. "found" is a status of gRPC or a word of ours."""
    try:
        socket.create_connection((host, port), _SECONDS).close()
    except OSError as error:
        return {"found": "nothing", "detail": error.strerror or str(error)}
    if authority:
        context = ssl.create_default_context(cadata=authority.decode())
        try:
            chosen = _handshake(host, port, context)
        except ssl.SSLCertVerificationError as error:
            return {"found": "certificate", "detail": error.verify_message}
        except OSError:
            return {"found": "no TLS", "detail": banner(host, port)}
        if chosen != "h2":
            return {"found": "no HTTP/2", "detail": ""}
    answer = _ask(host, port, authority, token)
    if answer["found"] in ("UNAVAILABLE", "UNKNOWN", "INTERNAL", "DEADLINE_EXCEEDED") and not authority:
        if _speaks_tls(host, port):
            return {"found": "TLS", "detail": ""}
        return {"found": "no gRPC", "detail": banner(host, port)}
    return answer


def main(arguments: Sequence[str]) -> int:
    """HOST PORT AUTHORITY_FILE TOKEN_FILE ("" for neither); prints JSON."""
    host, port, authority, token = arguments
    trusted = Path(authority).read_bytes() if authority else b""
    print(json.dumps(probe(host, int(port), trusted, Path(token).read_text().strip() if token else "")))
    return 0


if __name__ == "__main__":
    run(main)
