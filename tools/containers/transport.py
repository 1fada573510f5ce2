"""HTTP to a registry: TLS, retries with back-off, and one clear message for each way in which it fails."""

import http.client
import json
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from tools.containers.proxy import find_way
from tools.lib.errors import UserError

BLOCK = 1 << 16  # bytes of a body that are sent at once
_TIMEOUT = 120  # seconds without a byte
_LARGEST = 8 << 20  # bytes of an answer that are read: manifests have at most 4 MB
_AGAIN = (429, 500, 502, 503, 504)
_LONGEST_PAUSE = 60.0


class CutError(Exception):
    """The connection ended in the middle of a request."""


@dataclass(frozen=True)
class Retries:
    """How often a request is made, and how many seconds lie between the first two; each pause is twice the last."""

    attempts: int = 6
    pause: float = 0.5

    def wait(self, attempt: int, asked: float | None = None) -> None:
        """Sleep after attempt number `attempt` (from 0), or as long as the registry asked for."""
        pause = self.pause * 2**attempt * random.uniform(0.8, 1.2) if asked is None else asked
        time.sleep(min(pause, _LONGEST_PAUSE))


@dataclass(frozen=True)
class Body:
    """What is sent: `size` bytes of what `open` gives, from `offset`; `sent` hears of each block.

    A request whose body is a `part` isn't simply repeated, for a registry may have some of it.
    """

    open: Callable[[], BinaryIO]
    size: int
    offset: int = 0
    sent: Callable[[int], None] = lambda count: None
    part: bool = False

    def blocks(self) -> Iterator[bytes]:
        """The bytes. Raises UserError when the file has become shorter."""
        with self.open() as stream:
            stream.seek(self.offset)
            left = self.size
            while left:
                block = stream.read(min(BLOCK, left))
                if not block:
                    raise UserError(f"{getattr(stream, 'name', 'a layer')}: ended early; was it changed meanwhile?")
                left -= len(block)
                yield block
                self.sent(len(block))


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: http.client.HTTPMessage = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def message(self) -> str:
        """What the registry says went wrong, as the specification has it, or what it says at all."""
        try:
            first = json.loads(self.body)["errors"][0]
            said = f"{first['code']}: {first.get('message', '')}"
        except (ValueError, KeyError, IndexError, TypeError):
            said = " ".join(self.body[:200].decode(errors="replace").split())
        return said or "it doesn't say why"

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait that the registry asks for (RFC 9110, 10.2.3)."""
        text = self.headers.get("Retry-After", "")
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
        except (ValueError, TypeError):
            return None


class Transport:
    """Requests to URLs. `authority` is a file with certificates to trust besides the system's."""

    def __init__(self, authority: str = "", retries: Retries | None = None) -> None:
        """Raises UserError when the file has none."""
        self.retries = retries or Retries()
        self._context = ssl.create_default_context()
        if authority:
            try:
                self._context.load_verify_locations(authority)
            except (OSError, ssl.SSLError) as error:
                raise UserError(
                    f"REGISTRY_CA_FILE={authority}: expected a file with certificates in PEM: {error.strerror or error}"
                ) from error

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: Body | None = None, into: Path | None = None
    ) -> Answer:
        """The answer, after as many attempts as it takes; with `into`, what is sent with status 200 goes to that file.

        Raises UserError when nothing that may be called a registry answers, CutError for a part that was cut off.
        """
        part = bool(body and body.part)
        for attempt in range(self.retries.attempts):
            last = attempt + 1 == self.retries.attempts
            try:
                answer = self._once(method, url, headers, body, into)
            except CutError as error:
                if part:
                    raise
                if last:
                    raise UserError(f"{_origin(url)}: the connection was cut {attempt + 1} times: {error}") from error
                self.retries.wait(attempt)
                continue
            if answer.status not in _AGAIN or last or (part and answer.status != 429):
                return answer
            self.retries.wait(attempt, answer.retry_after)
        raise AssertionError("there is at least one attempt")

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: Body | None, into: Path | None
    ) -> Answer:
        way = find_way(url, self._context, _TIMEOUT)
        connection = way.connection
        words = {"User-Agent": "contrail-forge", **headers, **way.headers}
        words["Content-Length"] = str(body.size if body else 0)
        if method in ("GET", "HEAD"):
            del words["Content-Length"]
        try:
            _connect(connection, url, way.via)
            # It may have answered before it had all.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, way.target, body.blocks() if body else None, words)
            answer = connection.getresponse()
            if into and answer.status == 200:
                _save(answer, into)
            return Answer(answer.status, answer.headers, answer.read(_LARGEST))
        except (http.client.RemoteDisconnected, http.client.IncompleteRead) as error:
            raise CutError(str(error)) from error
        except http.client.HTTPException as error:
            raise UserError(f"{_origin(url)}: what answers there doesn't speak HTTP; look at REGISTRY_URL") from error
        except OSError as error:
            raise CutError(error.strerror or str(error)) from error
        finally:
            connection.close()


def _save(answer: http.client.HTTPResponse, path: Path) -> None:
    """Raises CutError when not all of it comes."""
    with path.open("wb") as stream:
        while block := answer.read(BLOCK):
            stream.write(block)
    if answer.length:
        raise CutError(f"{answer.length} bytes are missing")


def _connect(connection: http.client.HTTPConnection, url: str, via: str) -> None:
    """Raises UserError for what another attempt wouldn't mend; `via` is the proxy, if there is one."""
    origin = f"{_origin(url)} by {via}" if via else _origin(url)
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        raise UserError(
            f"{origin}: its certificate isn't trusted: {error.verify_message}; "
            "name the file of its authority's certificate: REGISTRY_CA_FILE=FILE"
        ) from error
    except ssl.SSLError as error:
        if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            raise UserError(
                f"{origin}: it doesn't speak TLS; if it should be so, use http:// in REGISTRY_URL"
            ) from error
        raise CutError(str(error)) from error
    except (ConnectionRefusedError, http.client.InvalidURL) as error:
        if via:
            raise UserError(f"{origin}: no proxy answers there; correct it, or add the host to NO_PROXY") from error
        raise UserError(f"{origin}: no registry answers there; start it, or set REGISTRY_URL") from error
    except OSError as error:
        if isinstance(error, TimeoutError | ConnectionError):
            raise CutError(str(error)) from error
        raise UserError(f"{origin}: cannot connect: {error.strerror or error}; look at REGISTRY_URL") from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
