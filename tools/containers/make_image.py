"""Make an image's metadata: the action of the rule `container_image`. It reads no layer.

Its plan is a JSON file:

    {"image": LABEL, "name": NAME, "version": VERSION, "budget_mb": N, "spec": {...}, "flags": {...},
     "components": [COMPONENT, ...], "component_files": [PATH, ...], "accounts": [PATH, ...], "base": PATH or "",
     "layers": [{"metadata": PATH, "contents": PATH or "" where they aren't known}, ...]}
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.containers.accounts import Accounts, read_accounts
from tools.containers.contents import Contents, read_parts
from tools.containers.image_config import (
    CONFIG_TYPE,
    MANIFEST_TYPE,
    MOST_LAYERS,
    Spec,
    check_program,
    configuration,
    container_config,
    manifest,
)
from tools.containers.layer import Metadata, in_order
from tools.containers.sizes import Report, check_budget, layer_sizes
from tools.containers.statements import Component, provenance, sbom
from tools.containers.tree import stack
from tools.lib.cli import run
from tools.lib.errors import UserError


def _descriptor(media_type: str, text: str) -> dict[str, Any]:
    content = text.encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _all_accounts(paths: Sequence[str]) -> Accounts | None:
    """The accounts that all layers have together: the last ones, as of the files that they stand for."""
    return read_accounts(Path(paths[-1])) if paths else None


def make(plan: dict[str, Any]) -> dict[str, str]:
    """The texts of the image's files by name. Raises UserError, which begins with the image's label."""
    image = plan["image"]
    layers = [Metadata(**json.loads(Path(layer["metadata"]).read_text())) for layer in plan["layers"]]
    if len(layers) > MOST_LAYERS:
        raise UserError(f"{image}: {len(layers)} layers, and docker takes {MOST_LAYERS}; leave out packages or layers")
    listed = [Path(layer["contents"]) for layer in plan["layers"] if layer["contents"]]
    tree = stack((part for path in listed for part in read_parts(path)), image)
    report = Report(image, [size for layer in layers for size in layer_sizes(layer)])
    check_budget(report, plan["budget_mb"])
    base = json.loads(Path(plan["base"]).read_text())["config"] if plan["base"] else {}
    settings = container_config(image, Spec(**plan["spec"]), _all_accounts(plan["accounts"]), base)
    check_program(image, settings, tree, len(listed) == len(layers))
    config = configuration(settings, layers)
    config_descriptor = _descriptor(CONFIG_TYPE, config)
    text = manifest(config_descriptor, layers)
    descriptor = _descriptor(MANIFEST_TYPE, text)
    found = [json.loads(component) for component in plan["components"]]
    for path in plan["component_files"]:
        found += json.loads(Path(path).read_text())
    components = [Component(**component) for component in found]
    name, digest = plan["name"], descriptor["digest"]
    return {
        "config": config,
        "manifest": text,
        "descriptor": json.dumps(descriptor | {"config": config_descriptor}, indent=2) + "\n",
        "sizes": report.to_json(),
        "tree": Contents(image, in_order(placed.entry for placed in tree.values())).to_json(),
        "sbom": sbom(name, plan["version"], digest, components),
        "provenance": provenance(name, image, digest, components, plan["flags"]),
    }


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make_image", description=__doc__)
    parser.add_argument("plan", type=Path)
    for name in ("config", "manifest", "descriptor", "sizes", "sbom", "provenance", "tree"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args(arguments)
    for name, text in make(json.loads(options.plan.read_text())).items():
        getattr(options, name).write_text(text)
    return 0


if __name__ == "__main__":
    run(main)
