"""An upload goes on where a cut left it, at a registry that keeps what arrived (Debian's gives such an upload up)."""

import hashlib
import io
import random
import re
from http.server import BaseHTTPRequestHandler

from tests.containers.registry import Wire, serving
from tools.containers.image import LAYER_TYPE, Blob
from tools.containers.reference import Address
from tools.containers.registry import CHUNK, Registry
from tools.containers.transport import Retries

_CONTENT = random.Random(4).randbytes(2 * CHUNK + 1000)
_DIGEST = f"sha256:{hashlib.sha256(_CONTENT).hexdigest()}"


def test_nothing_is_sent_twice() -> None:
    arrived, taken = bytearray(), []

    class Keeping(BaseHTTPRequestHandler):
        """The uploads of the OCI distribution specification 1.1, "Pushing a blob in chunks"."""

        def do_POST(self) -> None:
            self._answer(202)

        def do_GET(self) -> None:
            self._answer(204)

        def do_PATCH(self) -> None:
            start, end = map(int, re.findall(r"\d+", self.headers["Content-Range"]))
            if start != len(arrived):
                self._answer(416)
                return
            while len(arrived) <= end and (block := self.rfile.read1(65536)):
                arrived.extend(block)
            self._answer(202)

        def do_PUT(self) -> None:
            taken.append(f"sha256:{hashlib.sha256(arrived).hexdigest()}")
            self._answer(201)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Location", "/v2/me/image/blobs/uploads/1?state=x")
            self.send_header("Range", f"0-{max(0, len(arrived) - 1)}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Keeping) as port:
        wire = Wire(port, cuts=(5_000_000, 3_000_000, 9_000_000))
        registry = Registry(Address(f"http://127.0.0.1:{wire.port}", ""), None, retries=Retries(pause=0.1))
        blob = Blob(_DIGEST, len(_CONTENT), LAYER_TYPE, lambda: io.BytesIO(_CONTENT))
        registry.upload("me/image", blob, registry.mount("me/image", blob, ""), lambda count: None)
        wire.close()
    assert (taken, wire.cuts_left, bytes(arrived) == _CONTENT) == ([_DIGEST], 0, True)
    # What the proxy took after the registry's last byte and before the cut may be lost.
    assert wire.up < len(_CONTENT) + 300_000
