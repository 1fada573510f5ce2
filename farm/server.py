"""BuildGrid as //farm:up runs it: no damaged blob leaves it, and clients learn what workers lack.

BuildGrid names a file by its blob's digest, and believes that. A disk may forget bits, and a machine that loses its
power leaves files half-written. So a blob is compared with its digest before it is given out; one that differs is
removed and said not to be there, and what made it is run again.

An input that is gone when a worker fetches it, buildbox reports as an internal error. The Remote Execution API has
another answer for it (`Execute`, "FAILED_PRECONDITION"), by which Bazel knows that it must upload the input again.
Outputs that the server has no room for are an internal error too, which Bazel would try again and again.
"""

import hashlib
import logging
import re
import sys
from typing import IO, Any

from buildgrid._protos.build.bazel.remote.execution.v2.remote_execution_pb2 import Digest
from buildgrid._protos.google.rpc import code_pb2
from buildgrid._protos.google.rpc.error_details_pb2 import PreconditionFailure
from buildgrid._protos.google.rpc.status_pb2 import Status
from buildgrid.server.app import cli
from buildgrid.server.app.settings import parser
from buildgrid.server.cas.storage.disk import DiskStorage
from buildgrid.server.scheduler import Scheduler

# How buildbox-casd says which input is gone.
_MISSING = re.compile(r'missing blob with digest "([0-9a-f]{64}/[0-9]+)"')
# How it says that outputs weren't taken.
_NOT_STORED = "to remote CAS"


class VerifyingStorage(DiskStorage):
    """A DiskStorage that compares what it reads."""

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

    def _remove(self, digest: Digest) -> None:
        logging.error("a damaged blob was removed: %s/%d", digest.hash, digest.size_bytes)
        self.delete_blob(digest)


class ExplainingScheduler(Scheduler):
    """A Scheduler that tells clients what a worker lacked."""

    def _synchronize_completed_leases(self, session: Any, bot_name: str, completed_leases: Any, *others: Any) -> Any:
        for lease in completed_leases:
            explain(lease.status)
        return super()._synchronize_completed_leases(session, bot_name, completed_leases, *others)


def explain(status: Status) -> None:
    """Change a worker's internal error into what the API has for it."""
    if status.code != code_pb2.INTERNAL:
        return
    if missing := _MISSING.search(status.message):
        status.code = code_pb2.FAILED_PRECONDITION
        failure = PreconditionFailure()
        failure.violations.add(type="MISSING", subject=f"blobs/{missing.group(1)}")
        status.details.add().Pack(failure)
    elif _NOT_STORED in status.message:
        status.code = code_pb2.FAILED_PRECONDITION
        status.message = "the worker couldn't store the action's outputs: is the server's disk full? See //farm:status"


if __name__ == "__main__":
    parser.object_definitions["!disk-storage"] = VerifyingStorage
    parser.Scheduler = ExplainingScheduler
    sys.exit(cli())
