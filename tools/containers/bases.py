"""Images of a registry as bases: locked by digest, and fetched layer by layer.

The lock, containers/bases.lock.json, has all that an image over the base needs but the layers' bytes:

    {"schema": 1, "bases": {NAME: {"repository": ..., "tag": ..., "digest": "sha256:HEX" (of the manifest),
     "config": {...} (the part `config` of the configuration),
     "layers": [{"mediaType": ..., "digest": ..., "size": BYTES, "diff_id": ...}, ...]}}}

No host is in it: REGISTRY_URL names the registry, or a mirror. Formats: OCI image specification 1.1; docker image
manifest version 2, schema 2, whose layers are the same bytes under other names.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.containers.connect import open_registry
from tools.containers.image import INDEX_TYPES, LAYER_TYPE, MANIFEST_TYPES, parse, sha256
from tools.containers.reference import check_name, check_tag, parse_reference
from tools.containers.registry import Registry
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

LOCK = "containers/bases.lock.json"
_UPDATE = "./bazelw run //containers:update_bases -- NAME NAMESPACE/IMAGE:TAG"
_PLATFORM = ("linux", "amd64")
_LAYERS = {
    LAYER_TYPE: LAYER_TYPE,
    f"{LAYER_TYPE}+gzip": f"{LAYER_TYPE}+gzip",
    f"{LAYER_TYPE}+zstd": f"{LAYER_TYPE}+zstd",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": f"{LAYER_TYPE}+gzip",
}
# What a configuration may hand on; the rest is of the machine that made it.
_CONFIG = (
    "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "StopSignal", "User", "Volumes", "WorkingDir",
)  # fmt: skip


def choose(index: dict[str, Any], where: str) -> str:
    """The digest of the image for linux/amd64 of an index. Raises UserError, which begins with `where`."""
    found = []
    for entry in index["manifests"]:
        platform = entry.get("platform", {})
        if (platform.get("os"), platform.get("architecture")) == _PLATFORM:
            return str(entry["digest"])
        found.append(f"{platform.get('os', '?')}/{platform.get('architecture', '?')}")
    raise UserError(f"{where}: has no image for {'/'.join(_PLATFORM)}; it has: {', '.join(sorted(found)) or 'none'}")


def lock_base(registry: Registry, repository: str, tag: str, scratch: Path) -> dict[str, Any]:
    """The lock's entry of an image; `scratch` is a file for its configuration.

    Raises UserError when it isn't there, isn't for linux/amd64, or isn't an image that can be a base.
    """
    full = registry.address.repository(repository)
    where = f"{registry.address.base}: {full}:{tag}"
    try:
        text = registry.read_manifest(full, tag)
        content = parse(text, where)
        if content.get("mediaType") in INDEX_TYPES or "manifests" in content:
            digest = choose(content, where)
            text = registry.read_manifest(full, digest)
            if sha256(text) != digest:
                raise UserError(f"{where}: the manifest isn't what its digest {digest} says; tell who runs it")
            content = parse(text, where)
        if content.get("mediaType", MANIFEST_TYPES[0]) not in MANIFEST_TYPES or "layers" not in content:
            raise UserError(f"{where}: isn't an image of a kind that can be a base: {content.get('mediaType', 'old')}")
        registry.fetch_blob(full, content["config"]["digest"], scratch)
        config = parse(scratch.read_bytes(), where)
        platform = (config.get("os"), config.get("architecture"))
        if platform != _PLATFORM:
            raise UserError(f"{where}: is for {platform[0]}/{platform[1]}, not {'/'.join(_PLATFORM)}")
        layers = []
        for layer, diff_id in zip(content["layers"], config["rootfs"]["diff_ids"], strict=True):
            if layer["mediaType"] not in _LAYERS:
                raise UserError(f"{where}: a layer of type {layer['mediaType']}; expected one of: {', '.join(_LAYERS)}")
            kind = _LAYERS[layer["mediaType"]]
            entry = {"mediaType": kind, "digest": layer["digest"], "size": layer["size"], "diff_id": diff_id}
            layers.append(entry)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{where}: isn't a whole image: {error!r} is missing or of another kind") from error
    kept = {key: config.get("config", {})[key] for key in _CONFIG if config.get("config", {}).get(key)}
    return {"repository": repository, "tag": tag, "digest": sha256(text), "config": kept, "layers": layers}


def update_bases(checkout: Path, name: str | None, reference: str | None) -> None:
    """Write the lock with one base, new or locked anew, or with all locked anew.

    Raises UserError when an image can't be had; then the lock is as before.
    """
    path = checkout / LOCK
    lock = read_lock(path)
    wanted = {key: (entry["repository"], entry["tag"]) for key, entry in lock["bases"].items()}
    if name:
        if reference:
            wanted = {check_name(name): parse_reference(reference)}
        elif name in wanted:
            wanted = {name: wanted[name]}
        else:
            raise UserError(f"{path}: has no base '{name}'; to add it: {_UPDATE}")
    if wanted:
        registry = open_registry("pull")
        with tempfile.NamedTemporaryFile() as scratch:
            for key, (repository, tag) in wanted.items():
                lock["bases"][key] = lock_base(registry, repository, check_tag(tag), Path(scratch.name))
                print(f"{key}: {repository}:{tag} is {lock['bases'][key]['digest']}")
    write_atomically(path, json.dumps(lock, indent=2, sort_keys=True) + "\n")


def read_lock(path: Path) -> dict[str, Any]:
    """The lock's content. Raises UserError when it isn't one."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        if content["schema"] == 1 and isinstance(content["bases"], dict):
            return content
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UserError(f"{path}: isn't a lock of bases with schema 1; restore it from git")


def main(arguments: Sequence[str]) -> int:
    """The command line, for a repository rule: fetch one layer."""
    parser = argparse.ArgumentParser(prog="bases", description="Fetch a layer of a locked base.")
    parser.add_argument("repository")
    parser.add_argument("digest")
    parser.add_argument("path", type=Path)
    options = parser.parse_args(arguments)
    registry = open_registry("pull")
    registry.fetch_blob(registry.address.repository(options.repository), options.digest, options.path)
    return 0


if __name__ == "__main__":
    run(main)
