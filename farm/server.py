"""BuildGrid as //farm:up runs it: no damaged blob leaves it, and clients learn what workers lack.

BuildGrid names a file by its blob's digest, and believes that. A disk may forget bits, and a machine that loses its
power leaves files half-written. So a blob is compared with its digest before it is given out; one that differs is
removed and said not to be there, and what made it is run again.

BuildGrid also gives a file its name before all of it is written: a full disk, or a reader at the same moment, would
find a part. Here the name comes last.

What is gone when the server or a worker wants it (an action, an input, a result), they report in ways that end a
build. The Remote Execution API has an answer for it (`Execute`, "FAILED_PRECONDITION"), by which Bazel knows that it
must upload the input, and execute the action, again. Outputs that the server has no room for are an internal error
too, which Bazel would try again and again.

Bazel 6 and older name an action's outputs in two lists; the workers read the one list that took their place.
"""

import errno
import hashlib
import io
import logging
import os
import re
import shutil
import sys
import tempfile
from datetime import timedelta
from typing import IO, Any

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2.remote_execution_pb2 import Action, Command, Digest
from buildgrid._protos.google.longrunning.operations_pb2 import Operation
from buildgrid._protos.google.rpc import code_pb2
from buildgrid._protos.google.rpc.error_details_pb2 import PreconditionFailure
from buildgrid._protos.google.rpc.status_pb2 import Status
from buildgrid.server import controller
from buildgrid.server.app import cli
from buildgrid.server.app.settings import parser
from buildgrid.server.cas.storage.disk import DiskStorage
from buildgrid.server.exceptions import FailedPreconditionError, RetriableError, StorageFullError
from buildgrid.server.execution.instance import ExecutionInstance
from buildgrid.server.scheduler import Scheduler

# How buildbox-casd says which input is gone.
_MISSING = re.compile(r'missing blob with digest "([0-9a-f]{64}/[0-9]+)"')
# How it says that outputs weren't taken.
_NOT_STORED = "to remote CAS"


class VerifyingStorage(DiskStorage):
    """A DiskStorage that compares what it reads, and in which a file is whole when it has its name."""

    def get_blob(self, digest: Digest) -> IO[bytes] | None:
        blob = super().get_blob(digest)
        if blob is None:
            return None
        same = hashlib.file_digest(blob, "sha256").hexdigest() == digest.hash
        if same:
            blob.seek(0)
            return blob
        blob.close()
        self._remove(digest)
        return None

    def bulk_read_blobs(self, digests: list[Digest]) -> dict[str, bytes]:
        found = super().bulk_read_blobs(digests)
        for digest in digests:
            if digest.hash in found and hashlib.sha256(found[digest.hash]).hexdigest() != digest.hash:
                del found[digest.hash]
                self._remove(digest)
        return found

    def commit_write(self, digest: Digest, write_session: IO[bytes]) -> None:
        write_session.seek(0)
        try:
            with tempfile.NamedTemporaryFile(dir=self.temp_path) as file:
                shutil.copyfileobj(write_session, file)
                file.flush()
                path = self._get_object_path(digest)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.link(file.name, path)
        except FileExistsError:
            return
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EFBIG):
                raise
            raise StorageFullError(f"the server's storage is full: {error.strerror}") from error

    def bulk_update_blobs(self, blobs: list[tuple[Digest, bytes]]) -> list[Status]:
        found = []
        for digest, content in blobs:
            status = Status()
            try:
                self.commit_write(digest, io.BytesIO(content))
            except StorageFullError as error:
                status = Status(code=code_pb2.RESOURCE_EXHAUSTED, message=str(error))
            except OSError as error:
                status = Status(code=code_pb2.INTERNAL, message=str(error))
            found.append(status)
        return found

    def _remove(self, digest: Digest) -> None:
        logging.error("a damaged blob was removed: %s/%d", digest.hash, digest.size_bytes)
        self.delete_blob(digest)


class _Aborted(grpc.Status):
    """What ends a call with a Status that has details."""

    def __init__(self, status: Status) -> None:
        self.code = grpc.StatusCode.FAILED_PRECONDITION
        self.details = status.message
        self.trailing_metadata = (("grpc-status-details-bin", status.SerializeToString()),)


class _Missing(RetriableError):
    """The error of BuildGrid's that is told with details."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message, timedelta())
        self.error_status = _Aborted(status)


class ExplainingExecution(ExecutionInstance):
    """An ExecutionInstance that takes older actions, too, and tells clients which part of an action isn't there."""

    def execute(self, *, action_digest: Digest, **others: Any) -> str:
        try:
            return super().execute(action_digest=self._of_today(action_digest), **others)
        except FailedPreconditionError as error:
            storage = self.scheduler.storage
            action = storage.get_message(action_digest, Action)
            wanted = action.command_digest if action else action_digest
            if storage.has_blob(wanted):
                raise
            status = Status(message=str(error))
            say_missing(status, f"{wanted.hash}/{wanted.size_bytes}")
            raise _Missing(status) from error

    def _of_today(self, digest: Digest) -> Digest:
        """The same action as workers read it (`Command.output_paths`, version 2.1 of the API)."""
        storage = self.scheduler.storage
        action = storage.get_message(digest, Action)
        command = storage.get_message(action.command_digest, Command) if action else None
        outputs = [*command.output_files, *command.output_directories] if command else []
        if not outputs or command.output_paths:
            return digest
        command.ClearField("output_files")
        command.ClearField("output_directories")
        command.output_paths.extend(sorted(outputs))
        action.command_digest.CopyFrom(storage.put_message(command))
        return storage.put_message(action)


class ExplainingScheduler(Scheduler):
    """A Scheduler that tells clients what a worker lacked."""

    def _synchronize_completed_leases(self, session: Any, bot_name: str, completed_leases: Any, *others: Any) -> Any:
        for lease in completed_leases:
            explain(lease.status)
        return super()._synchronize_completed_leases(session, bot_name, completed_leases, *others)

    def _load_operation(self, op: Any) -> Operation:
        operation = super()._load_operation(op)
        # The action was executed, and its result was removed before anyone read it: it must be executed again.
        if operation.error.code == code_pb2.DATA_LOSS:
            operation.error.message = "the action's result is gone from the storage"
            say_missing(operation.error, op.job.action_digest)
        return operation


def say_missing(status: Status, blob: str) -> None:
    """Make it the status by which clients know that they must upload this ("HASH/SIZE") again."""
    status.code = code_pb2.FAILED_PRECONDITION
    failure = PreconditionFailure()
    failure.violations.add(type="MISSING", subject=f"blobs/{blob}")
    status.details.add().Pack(failure)


def explain(status: Status) -> None:
    """Change a worker's internal error into what the API has for it."""
    if status.code != code_pb2.INTERNAL:
        return
    if missing := _MISSING.search(status.message):
        say_missing(status, missing.group(1))
    elif _NOT_STORED in status.message:
        status.code = code_pb2.FAILED_PRECONDITION
        status.message = "the worker couldn't store the action's outputs: is the server's disk full? See //farm:status"


if __name__ == "__main__":
    parser.object_definitions["!disk-storage"] = VerifyingStorage
    parser.Scheduler = ExplainingScheduler
    controller.ExecutionInstance = ExplainingExecution
    sys.exit(cli())
