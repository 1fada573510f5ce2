"""Which kernels Bazel skips the tests of, because the mirrors have dropped their image packages.

Nothing is left of a skipped test. But its kernel_image, or a package of it, is incompatible with
every platform (roots/private/locked_package.bzl), and `bazel query` says so.
"""

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tools.lib.errors import UserError

_INCOMPATIBLE = "@platforms//:incompatible"
# Bazel's exit code for a query that kept going; a package that was never fetched is an error to it.
_PARTIAL = 3


def skipped_kernels(workspace: Path, releases: Sequence[str]) -> dict[str, str]:
    """Those of the kernels that can't be booted, each with a line that says why.

    Fetches nothing: what Bazel has never tried to fetch is taken to be there.
    """
    if not releases:
        return {}
    # Quoted: a release may have a "+", which is an operator.
    images = " ".join(f"'//kernels:{release}.image'" for release in releases)
    command = [str(workspace / "bazelw"), "query", "--nofetch", "--keep_going", "--output=streamed_jsonproto"]
    done = subprocess.run([*command, f"deps(set({images}), 1)"], cwd=workspace, capture_output=True, check=False)
    if done.returncode not in (0, _PARTIAL):
        raise UserError(f"{' '.join(command)} ... failed: {done.stderr.decode(errors='replace').strip()}")
    return skipped_images(json.loads(line) for line in done.stdout.splitlines())


def skipped_images(targets: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The same, from the targets that the query found (Bazel's build.proto, as JSON)."""
    rules = [target["rule"] for target in targets if "rule" in target]
    attributes = {rule["name"]: {entry["name"]: entry for entry in rule["attribute"]} for rule in rules}
    incompatible = {
        name for name, known in attributes.items()
        if _INCOMPATIBLE in map(_short, _labels(known, "target_compatible_with"))
    }  # fmt: skip
    found = {}
    for rule in rules:
        known = attributes[rule["name"]]
        if rule["ruleClass"] != "kernel_image":
            continue
        gone = [label for label in _labels(known, "packages") if label in incompatible]
        if gone or rule["name"] in incompatible:
            names = ", ".join(_package(label) for label in gone)
            found[known["release"]["stringValue"]] = f"no mirror has its image any more: {names}".removesuffix(": ")
    return found


def _labels(attributes: dict[str, Any], name: str) -> list[str]:
    return list(attributes.get(name, {}).get("stringListValue", ()))


def _short(label: str) -> str:
    """A label with one "@", however Bazel writes it."""
    return label.replace("@@", "@")


def _package(label: str) -> str:
    """The name of the package in @kernel.NAME.DIGEST//:package (kernels/private/kernel_catalogue.bzl)."""
    return _short(label).partition("//")[0].removeprefix("@kernel.").rpartition(".")[0]
