"""A client of the Remote Execution API that does what other Bazels, and forgers, do: PORT COMMAND WORDS; prints JSON.

Runs in the server's root, which has gRPC and the API's messages.
"""

import hashlib
import json
import sys
from typing import Any

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as api
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as services
from buildgrid._protos.google.rpc.error_details_pb2 import PreconditionFailure
from buildgrid._protos.google.rpc.status_pb2 import Status

SECONDS = 120.0
# Field 200, which no version of the API has, with three bytes.
UNKNOWN_FIELD = b"\xc2\x0c\x03new"
PLATFORM = {"OSFamily": "linux", "ISA": "x86-64"}


def digest_of(content: bytes, function: str = "sha256") -> Any:
    """The digest of a blob."""
    return api.Digest(hash=hashlib.new(function, content).hexdigest(), size_bytes=len(content))


def parse_digest(text: str) -> Any:
    """The digest of HASH/SIZE."""
    name, _, size = text.partition("/")
    return api.Digest(hash=name, size_bytes=int(size))


def of_status(status: Any) -> dict[str, Any]:
    """A Status with what it says is missing."""
    missing = []
    for detail in status.details:
        failure = PreconditionFailure()
        if detail.Unpack(failure):
            missing += [f"{violation.type} {violation.subject}" for violation in failure.violations]
    return {"code": status.code, "message": status.message, "missing": missing}


class Client:
    """The services of one server."""

    def __init__(self, port: str) -> None:
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._storage = services.ContentAddressableStorageStub(channel)
        self._actions = services.ActionCacheStub(channel)
        self._execution = services.ExecutionStub(channel)

    def store(self, function: str, digest_function: str, text: str) -> dict[str, Any]:
        """Store a blob under the digest of another function."""
        blob = text.encode()
        request = api.BatchUpdateBlobsRequest(digest_function=api.DigestFunction.Value.Value(digest_function))
        request.requests.add(digest=digest_of(blob, function), data=blob)
        (answer,) = self._storage.BatchUpdateBlobs(request, timeout=SECONDS).responses
        return of_status(answer.status)

    def _put(self, blob: bytes) -> Any:
        request = api.BatchUpdateBlobsRequest()
        request.requests.add(digest=digest_of(blob), data=blob)
        (answer,) = self._storage.BatchUpdateBlobs(request, timeout=SECONDS).responses
        assert not answer.status.code, answer
        return answer.digest

    def _get(self, digest: Any) -> bytes:
        request = api.BatchReadBlobsRequest(digests=[digest])
        (answer,) = self._storage.BatchReadBlobs(request, timeout=SECONDS).responses
        assert not answer.status.code, answer
        return bytes(answer.data)

    def execute(self, form: str, text: str) -> dict[str, Any]:
        """Execute an action, as an old Bazel ("files"), today's ("paths") or a future one ("unknown") asks."""
        platform = api.Platform(
            properties=[api.Platform.Property(name=name, value=PLATFORM[name]) for name in PLATFORM]
        )
        command = api.Command(arguments=["sh", "-c", f"mkdir -p tree; echo {text} | tee out.txt > tree/leaf"])
        if form == "files":
            command.output_files.append("out.txt")
            command.output_directories.append("tree")
            command.platform.CopyFrom(platform)
        else:
            command.output_paths.extend(["out.txt", "tree"])
        new = UNKNOWN_FIELD if form == "unknown" else b""
        action = api.Action(
            command_digest=self._put(command.SerializeToString() + new), input_root_digest=self._put(b"")
        )
        if form != "files":
            action.platform.CopyFrom(platform)
        request = api.ExecuteRequest(action_digest=self._put(action.SerializeToString() + new))
        return self._follow(self._execution.Execute(request, timeout=SECONDS))

    def execute_unknown(self) -> dict[str, Any]:
        """Execute an action that wasn't uploaded."""
        request = api.ExecuteRequest(action_digest=digest_of(b"not there"))
        return self._follow(self._execution.Execute(request, timeout=SECONDS))

    def wait(self, name: str) -> dict[str, Any]:
        """Ask again for the result of what was executed."""
        return self._follow(self._execution.WaitExecution(api.WaitExecutionRequest(name=name), timeout=SECONDS))

    def _follow(self, operations: Any) -> dict[str, Any]:
        try:
            operation = list(operations)[-1]
        except grpc.RpcError as error:
            trailer: Any = error.trailing_metadata()
            details = dict(trailer).get("grpc-status-details-bin", b"")
            return of_status(Status.FromString(details)) | {"code": error.code().value[0]}
        if operation.HasField("error"):
            return of_status(operation.error)
        response = api.ExecuteResponse()
        operation.response.Unpack(response)
        result = response.result
        trees = [api.Tree.FromString(self._get(found.tree_digest)) for found in result.output_directories]
        return of_status(response.status) | {
            "operation": operation.name,
            "exit_code": result.exit_code,
            "files": {file.path: self._get(file.digest).decode() for file in result.output_files},
            "trees": [{file.name: self._get(file.digest).decode() for file in tree.root.files} for tree in trees],
        }

    def forge(self, action: str, text: str) -> dict[str, Any]:
        """Put a result of one's own into the cache: that of the action, with other bytes in its first file."""
        digest = parse_digest(action)
        result = self._actions.GetActionResult(api.GetActionResultRequest(action_digest=digest), timeout=SECONDS)
        result.output_files[0].digest.CopyFrom(self._put(text.encode()))
        request = api.UpdateActionResultRequest(action_digest=digest, action_result=result)
        self._actions.UpdateActionResult(request, timeout=SECONDS)
        return {"path": result.output_files[0].path}


if __name__ == "__main__":
    client = Client(sys.argv[1])
    print(json.dumps(getattr(client, sys.argv[2])(*sys.argv[3:])))
