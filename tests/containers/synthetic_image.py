"""Images of random bytes, for pushes: layers that can't be compressed."""

import hashlib
import io
import json
import random
import tarfile
from pathlib import Path

from tools.containers.image import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE


def layer(size: int, seed: int) -> bytes:
    """A layer with one file that can't be compressed."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo(f"data-{seed}")
        entry.size = size
        archive.addfile(entry, io.BytesIO(random.Random(seed).randbytes(size)))
    return stream.getvalue()


def write_layout(folder: Path, layers: list[bytes]) -> str:
    """Write an OCI layout; the manifest's digest."""
    (folder / "blobs/sha256").mkdir(parents=True)

    def add(content: bytes, kind: str) -> dict[str, object]:
        name = hashlib.sha256(content).hexdigest()
        (folder / "blobs/sha256" / name).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{name}", "size": len(content)}

    entries = [add(content, LAYER_TYPE) for content in layers]
    identities = [entry["digest"] for entry in entries]
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": identities}}
    found = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": add(json.dumps(config).encode(), CONFIG_TYPE),
        "layers": entries,
    }
    manifest = add(json.dumps(found).encode(), MANIFEST_TYPE)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    return str(manifest["digest"])
