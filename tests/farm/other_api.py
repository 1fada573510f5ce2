"""A gRPC server that isn't what Bazel wants: of an API version to come, or with another API altogether.

Runs in the farm's server root: other_api.py PORT MAJOR, where 0 stands for no such API.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2, remote_execution_pb2_grpc
from buildgrid._protos.build.bazel.semver import semver_pb2


class Capabilities(remote_execution_pb2_grpc.CapabilitiesServicer):  # type: ignore[misc]
    """Says its version."""

    def __init__(self, major: int) -> None:
        self._version = semver_pb2.SemVer(major=major)

    def GetCapabilities(self, request: Any, context: Any) -> Any:
        """Answer as a server of that version."""
        cache = remote_execution_pb2.CacheCapabilities(digest_functions=[remote_execution_pb2.DigestFunction.SHA256])
        return remote_execution_pb2.ServerCapabilities(
            low_api_version=self._version, high_api_version=self._version, cache_capabilities=cache
        )


def main() -> None:
    """Serve until killed."""
    server = grpc.server(ThreadPoolExecutor())
    if major := int(sys.argv[2]):
        remote_execution_pb2_grpc.add_CapabilitiesServicer_to_server(Capabilities(major), server)
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
