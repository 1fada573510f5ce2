"""Images in a local daemon: load with as few layers as it lacks, and clean up."""

import json
import sys
import tempfile
from collections.abc import Sequence
from urllib.parse import quote

from tools.containers.engine import Engine, EngineError
from tools.containers.image import Image
from tools.containers.push import megabytes
from tools.containers.save import write

LABEL = "contrail-forge.loaded"  # a repository of this name marks what was loaded from here


def load(engine: Engine, image: Image, reference: str) -> int:
    """Have an image in the daemon under NAME:TAG; the bytes that were sent.

    docker unpacks a layer on top of those below it and knows it by all their diff ids (its chain), so a layer that
    any image there has in the same place needn't be sent: the archive names it only. The engine's API has no question
    for chains; the images' lists of diff ids answer it. podman, and docker with containerd's image store, want whole
    archives, and get one when the short one is refused.

    Raises UserError when the daemon refuses.
    """
    sent = 0
    if not _has(engine, image.config.digest):
        known = _known_layers(engine, image.diff_ids)
        try:
            sent = _send(engine, image, reference, known)
        except EngineError:
            if not known:
                raise
            sent = _send(engine, image, reference, 0)
    repository, _, tag = reference.rpartition(":")
    engine.call("POST", f"/images/{image.config.digest}/tag?repo={quote(repository)}&tag={quote(tag)}")
    engine.call("POST", f"/images/{image.config.digest}/tag?repo={LABEL}&tag={image.config.digest[7:]}")
    print(f"{reference}: loaded, {megabytes(sent) if sent else 'nothing'} sent", file=sys.stderr)
    return sent


def _has(engine: Engine, identity: str) -> bool:
    try:
        engine.call("GET", f"/images/{identity}/json")
    except EngineError as error:
        if error.status == 404:
            return False
        raise
    return True


def _known_layers(engine: Engine, diff_ids: Sequence[str]) -> int:
    """How many of the lowest layers the daemon has on top of each other."""
    best = 0
    for entry in engine.json("GET", "/images/json?all=true"):
        try:
            layers = engine.json("GET", f"/images/{entry['Id']}/json").get("RootFS", {}).get("Layers") or []
        except EngineError as error:
            if error.status != 404:
                raise
            continue  # removed meanwhile
        same = 0
        while same < min(len(layers), len(diff_ids)) and layers[same] == diff_ids[same]:
            same += 1
        best = max(best, same)
    return best


def _send(engine: Engine, image: Image, reference: str, known: int) -> int:
    lacking = {layer.digest for layer in image.layers[known:]}
    without = {layer.digest for layer in image.layers[:known]} - lacking
    with tempfile.TemporaryFile() as archive:
        write(image, reference, archive, without)
        size = archive.tell()
        archive.seek(0)
        answer = engine.call("POST", "/images/load?quiet=1", archive)
    for line in answer.splitlines():
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if "error" in content:
            raise EngineError(f"{engine.address}: the daemon refused {reference}: {content['error']}", 500)
    if not _has(engine, image.config.digest):
        raise EngineError(f"{engine.address}: the daemon took {reference} and has no image of its ID", 500)
    return size


def clean(engine: Engine, keep_images: bool) -> None:
    """Remove the containers of images that were loaded from here, and the images, unless they are kept.

    Raises UserError when the daemon refuses.
    """
    filters = quote(json.dumps({"reference": [LABEL]}))
    identities = [entry["Id"] for entry in engine.json("GET", f"/images/json?filters={filters}")]
    containers = 0
    for entry in engine.json("GET", "/containers/json?all=true"):
        if entry["ImageID"] in identities:
            engine.call("DELETE", f"/containers/{entry['Id']}?force=true&v=true")
            containers += 1
    for identity in [] if keep_images else identities:
        engine.call("DELETE", f"/images/{identity}?force=true")
    kept = "kept" if keep_images else "removed"
    print(f"{containers} containers removed, {len(identities)} images {kept}", file=sys.stderr)
