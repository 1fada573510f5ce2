"""BuildGrid as //farm:up runs it: no damaged blob leaves it, and a lost input is said to be one.

BuildGrid names a file by its blob's digest, and believes that. A disk may forget bits, and a machine that loses its
power leaves files half-written. So a blob is compared with its digest before it is given out; one that differs is
removed and said not to be there, and what made it is run again.

An input that is gone when a worker fetches it, buildbox reports as an internal error. The Remote Execution API has
another answer for it (`Execute`, "FAILED_PRECONDITION"), by which Bazel knows that it must upload the input again.
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


class MissingInputScheduler(Scheduler):
    """A Scheduler that tells clients which input was missing."""

    def _synchronize_completed_leases(self, session: Any, bot_name: str, completed_leases: Any, *others: Any) -> Any:
        for lease in completed_leases:
            missing_input(lease.status)
        return super()._synchronize_completed_leases(session, bot_name, completed_leases, *others)


def missing_input(status: Status) -> None:
    """Change a worker's error about a missing input into the API's."""
    missing = _MISSING.search(status.message)
    if status.code != code_pb2.INTERNAL or missing is None:
        return
    status.code = code_pb2.FAILED_PRECONDITION
    failure = PreconditionFailure()
    failure.violations.add(type="MISSING", subject=f"blobs/{missing.group(1)}")
    status.details.add().Pack(failure)


if __name__ == "__main__":
    parser.object_definitions["!disk-storage"] = VerifyingStorage
    parser.Scheduler = MissingInputScheduler
    sys.exit(cli())
