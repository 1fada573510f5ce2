"""A client of a container registry: what a push needs.

Format: OCI distribution specification 1.1.
"""

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urljoin

from tools.containers.access import Access
from tools.containers.credentials import Credentials
from tools.containers.image import INDEX_TYPES, MANIFEST_TYPES, Blob, sha256
from tools.containers.reference import Address
from tools.containers.transport import Answer, Body, CutError, Retries, Transport
from tools.lib.errors import UserError

CHUNK = 16 << 20  # bytes that are sent at once, and at most lost by a cut where the registry doesn't keep a part
_REDIRECTS = 5
_ACCEPT = {"Accept": ", ".join((*MANIFEST_TYPES, *INDEX_TYPES, "*/*"))}
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")


class Registry:
    """One registry; threads share it."""

    def __init__(
        self,
        address: Address,
        credentials: Credentials | None,
        authority: str = "",
        retries: Retries | None = None,
        actions: str = "pull,push",
    ) -> None:
        """`authority`: a file with certificates to trust besides the system's; `actions`: what is asked to be allowed.

        Raises UserError as Transport does.
        """
        self.address = address
        self._actions = actions
        self._retries = retries or Retries()
        self._access = Access(address.base, Transport(authority, self._retries), credentials)

    def ping(self) -> None:
        """Raises UserError when there is no registry at the address, or it doesn't let this user in."""
        answer = self._access.request("GET", f"{self.address.base}/v2/", "")
        if answer.status != 200:
            raise self._error(answer, "asked whether it is a registry")

    def has_blob(self, repository: str, blob: Blob) -> bool:
        """Whether it has a blob, of the right size."""
        answer = self._request("HEAD", repository, f"blobs/{blob.digest}")
        if answer.status == 404:
            return False
        if answer.status not in (200, 307):
            raise self._error(answer, f"asked for {blob.digest} of {repository}")
        size = answer.headers.get("Content-Length", "")
        if answer.status == 200 and size != str(blob.size):
            raise UserError(f"{self._base}: says that {blob.digest} has {size or 'no'} bytes, where it has {blob.size}")
        return True

    def manifest_digest(self, repository: str, reference: str) -> str:
        """The digest of what it has under a tag or digest; empty when there is nothing."""
        answer = self._request("GET", repository, f"manifests/{reference}", _ACCEPT)
        if answer.status == 404:
            return ""
        if answer.status != 200:
            raise self._error(answer, f"asked for {repository}:{reference}")
        return sha256(answer.body)

    def read_manifest(self, repository: str, reference: str) -> bytes:
        """What it has under a tag or digest: a manifest, or an index of such. Raises UserError when it has nothing."""
        answer = self._request("GET", repository, f"manifests/{quote(reference)}", _ACCEPT)
        if answer.status == 404:
            raise UserError(f"{self._base}: has no {repository}:{reference} (404); look at name and REGISTRY_URL")
        if answer.status != 200:
            raise self._error(answer, f"asked for {repository}:{reference}")
        return answer.body

    def fetch_blob(self, repository: str, digest: str, path: Path) -> None:
        """Write a blob to a file. Raises UserError when it has none, or another one."""
        url = f"{self._base}/v2/{repository}/blobs/{digest}"
        for _ in range(_REDIRECTS):
            answer = self._access.request("GET", url, f"repository:{repository}:{self._actions}", into=path)
            if answer.status not in (301, 302, 303, 307, 308):
                break
            url = urljoin(url, answer.headers.get("Location", ""))
        if answer.status == 404:
            raise UserError(f"{self._base}: has no {digest} of {repository} (404); was the image removed? Lock it anew")
        if answer.status != 200:
            raise self._error(answer, f"asked for {digest} of {repository}")
        with path.open("rb") as stream:
            found = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
        if found != digest:
            raise UserError(f"{self._base}: what it gives as {digest} of {repository} is {found}; tell who runs it")

    def put_manifest(self, repository: str, reference: str, content: bytes, media_type: str) -> None:
        """Give the registry a manifest, under a tag or its digest, and read it back."""
        body = Body(lambda: io.BytesIO(content), len(content))
        path = f"manifests/{quote(reference)}"
        answer = self._request("PUT", repository, path, {"Content-Type": media_type}, body)
        if answer.status != 201:
            raise self._error(answer, f"given the manifest of {repository}:{reference}")
        if (found := self.manifest_digest(repository, reference)) != sha256(content):
            raise UserError(
                f"{self._base}: has {found or 'nothing'} under {repository}:{reference} after it took "
                f"{sha256(content)}; push again"
            )

    def mount(self, repository: str, blob: Blob, source: str) -> str:
        """Take a blob from another repository. Returns the URL of an upload when it has to be sent; else nothing."""
        query = f"?mount={quote(blob.digest)}&from={quote(source, safe='')}" if source else ""
        answer = self._request("POST", repository, f"blobs/uploads/{query}")
        if answer.status == 201 and source:
            return ""
        if answer.status != 202:
            raise self._error(answer, f"asked to take a layer of {repository}")
        return self._location(answer, repository)

    def upload(self, repository: str, blob: Blob, location: str, sent: Callable[[int], None]) -> None:
        """Send a blob to an upload, in chunks. After a cut the registry says how far it came.

        Raises UserError when it refuses, or is cut off too often.
        """
        offset = attempt = 0
        while offset < blob.size:
            count = min(CHUNK, blob.size - offset)
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Range": f"{offset}-{offset + count - 1}",
            }
            what = f"{blob.digest} of {repository}"
            try:
                answer = self._send("PATCH", repository, location, headers, Body(blob.open, count, offset, sent, True))
            except CutError as error:
                if attempt + 1 >= self._retries.attempts:
                    raise UserError(
                        f"{self._base}: the connection was cut {attempt + 1} times while sending {what}: {error}; "
                        "push again"
                    ) from error
            else:
                if answer.status == 202:
                    location, offset = self._location(answer, repository), offset + count
                    continue
                # Docker's registry forgets an upload of which a part arrived.
                again = answer.status in (404, 416) or answer.status >= 500
                if not again or attempt + 1 >= self._retries.attempts:
                    raise self._error(answer, f"given {what}")
            self._retries.wait(attempt)
            attempt += 1
            location, offset = self._resume(repository, location)
        self._finish(repository, blob, location)

    def _finish(self, repository: str, blob: Blob, location: str) -> None:
        url = f"{location}{'&' if '?' in location else '?'}digest={quote(blob.digest)}"
        answer = self._send("PUT", repository, url, {}, Body(lambda: io.BytesIO(), 0))
        if answer.status == 400 and "DIGEST" in answer.message:
            raise UserError(f"{self._base}: what arrived isn't {blob.digest}: {answer.message}; push again")
        # A repeated request whose first answer was lost finds no upload any more.
        if answer.status != 201 and not (answer.status == 404 and self.has_blob(repository, blob)):
            raise self._error(answer, f"given all of {blob.digest} of {repository}")

    def _resume(self, repository: str, location: str) -> tuple[str, int]:
        """Where to go on after a cut: the URL and the bytes that have arrived; a new upload when this one is gone."""
        answer = self._send("GET", repository, location, {}, None)
        found = _RANGE.fullmatch(answer.headers.get("Range", ""))
        if answer.status != 204 or not answer.headers.get("Location") or not found:
            return self.mount(repository, Blob("", 0, "", _nothing), ""), 0
        # An empty upload has the range 0-0, as one of one byte has: sending a byte again is refused, then.
        last = int(found[1])
        return self._location(answer, repository), last + 1 if last else 0

    @property
    def _base(self) -> str:
        return self.address.base

    def _request(
        self, method: str, repository: str, rest: str, headers: dict[str, str] | None = None, body: Body | None = None
    ) -> Answer:
        return self._send(method, repository, f"{self._base}/v2/{repository}/{rest}", headers or {}, body)

    def _send(self, method: str, repository: str, url: str, headers: dict[str, str], body: Body | None) -> Answer:
        return self._access.request(method, url, f"repository:{repository}:{self._actions}", headers, body)

    def _location(self, answer: Answer, repository: str) -> str:
        location = answer.headers.get("Location", "")
        if not location:
            raise UserError(f"{self._base}: doesn't say where to send a layer of {repository}; is it a registry?")
        return urljoin(f"{self._base}/v2/{repository}/blobs/uploads/", location)

    def _error(self, answer: Answer, what: str) -> UserError:
        """What a status says that isn't one of those expected."""
        said = f"{self._base}: {what}, it answers {answer.status}"
        if answer.status == 403:
            return UserError(f"{said}: this user may not do that ({answer.message}); ask who runs the registry")
        if answer.status == 429:
            return UserError(f"{said}: too many requests ({answer.message}); push again later")
        if answer.status >= 500:
            return UserError(f"{said}: the registry has a fault ({answer.message}); look at its log, push again later")
        if answer.status >= 400:
            return UserError(f"{said}: {answer.message}")
        return UserError(f"{said}, as no registry does; look at REGISTRY_URL")


def _nothing() -> BinaryIO:
    return io.BytesIO()
