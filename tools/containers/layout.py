"""Lay an image out: an OCI image layout as a folder, or as a tar that `docker load` and `podman load` take, too.

Formats: OCI image specification 1.1, image-layout.md; the tar has Docker's manifest.json (image specification 1.2)
beside it, whose paths are those of the layout's blobs, as `docker save` of Docker 25 and later writes it.
"""

import argparse
import io
import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.lib.cli import run
from tools.roots.clock import SOURCE_DATE_EPOCH

_REFERENCE = "org.opencontainers.image.ref.name"
# podman, and docker with containerd's image store, take an archive's name from here.
_FULL_NAME = "io.containerd.image.name"


def blob_path(digest: str) -> str:
    """A blob's place in a layout."""
    return f"blobs/{digest.replace(':', '/')}"


def full_name(tag: str) -> str:
    """NAME:TAG with registry and namespace, as docker understands the short form."""
    first, slash, _ = tag.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return tag
    return f"docker.io/{tag}" if slash else f"docker.io/library/{tag}"


def small_files(manifest: Mapping[str, Any], descriptor: Mapping[str, Any], tag: str) -> dict[str, bytes]:
    """The files of a layout beside its blobs, and Docker's manifest."""
    own = {key: value for key, value in descriptor.items() if key != "config"}
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [own | {"annotations": {_FULL_NAME: full_name(tag), _REFERENCE: tag.rpartition(":")[2]}}],
    }
    docker = [
        {
            "Config": blob_path(manifest["config"]["digest"]),
            "RepoTags": [tag],
            "Layers": [blob_path(layer["digest"]) for layer in manifest["layers"]],
        }
    ]
    contents = {"oci-layout": {"imageLayoutVersion": "1.0.0"}, "index.json": index, "manifest.json": docker}
    return {name: (json.dumps(content, indent=2) + "\n").encode() for name, content in contents.items()}


def write_folder(folder: Path, files: Mapping[str, bytes], blobs: Mapping[str, Path]) -> None:
    """Write the layout as a folder."""
    for name, content in files.items():
        if name != "manifest.json":
            (folder / name).write_bytes(content)
    for place, source in blobs.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source.resolve(), target)
        except OSError:
            # Another file system, or a sandbox's mount.
            shutil.copyfile(source, target)


def write_tar(output: Path, files: Mapping[str, bytes], blobs: Mapping[str, Path]) -> None:
    """Write the layout as a tar, the same bytes each time."""
    with tarfile.open(output, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("blobs", "blobs/sha256"):
            archive.addfile(_member(name, 0, tarfile.DIRTYPE))
        for place, source in sorted(blobs.items()):
            with source.open("rb") as stream:
                archive.addfile(_member(place, source.stat().st_size), stream)
        for name, content in sorted(files.items()):
            archive.addfile(_member(name, len(content)), io.BytesIO(content))


def _member(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.mtime = size, kind, SOURCE_DATE_EPOCH
    member.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return member


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="layout", description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--descriptor", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--tag", required=True, help="NAME:TAG")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--tar", type=Path)
    parser.add_argument("layers", nargs="*", type=Path, help="the layers' blobs, in the manifest's order")
    options = parser.parse_args(arguments)
    manifest = json.loads(options.manifest.read_text())
    descriptor = json.loads(options.descriptor.read_text())
    blobs = {
        blob_path(layer["digest"]): path for layer, path in zip(manifest["layers"], options.layers, strict=True)
    }
    blobs[blob_path(descriptor["digest"])] = options.manifest
    blobs[blob_path(manifest["config"]["digest"])] = options.config
    files = small_files(manifest, descriptor, options.tag)
    if options.folder:
        write_folder(options.folder, files, blobs)
    if options.tar:
        write_tar(options.tar, files, blobs)
    return 0


if __name__ == "__main__":
    run(main)
