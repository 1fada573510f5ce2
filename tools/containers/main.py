"""Load, save, push and clean images: the verbs of //containers."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.containers.bases import update_bases
from tools.containers.connect import open_registry, place
from tools.containers.dev import Development, commit, sort_sources
from tools.containers.engine import Engine, find_address
from tools.containers.image import Files, Image, read_archive, read_files
from tools.containers.local import clean, load
from tools.containers.push import Sources, megabytes, push
from tools.containers.reference import check_tag, parse_reference
from tools.containers.registry import Registry
from tools.containers.save import save
from tools.lib.cli import run
from tools.lib.errors import UserError

_DAEMON = "The daemon is DOCKER_HOST's, or the first of docker's and podman's sockets that is there."
_REGISTRY = (
    "The registry is REGISTRY_URL (default: http://localhost:5000), its authority's certificate REGISTRY_CA_FILE; the "
    "user is REGISTRY_USERNAME with REGISTRY_PASSWORD, or docker's for this registry."
)


@dataclass(frozen=True)
class Named:
    """An image with its name below the namespace, its version, and its sources as `sort_sources` takes them."""

    name: str
    version: str
    image: Image
    sources: list[dict[str, Any]] = field(default_factory=list)


def read_settings(path: Path) -> tuple[str, list[Named]]:
    """The verb and the images of a target: JSON, {"verb", "images": [{"name", "version", "manifest", "config",
    "layers": [FILE...], "sources": [SOURCE...]}...]}."""
    content = json.loads(path.read_bytes())
    found = []
    for entry in content["images"]:
        layers = [Path(layer) for layer in entry["layers"]]
        image = read_files(Path(entry["manifest"]), Path(entry["config"]), layers)
        found.append(Named(entry["name"], entry["version"], image, entry.get("sources", [])))
    return content["verb"], found


def made_of() -> str:
    """The checkout's commit, with "-dirty" when it has changes; empty when there is none."""
    words = ["git", "-C", os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run([*words, "--abbrev=40", "--exclude=*"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def push_all(images: Sequence[Named]) -> None:
    """Push each under its version, COMMIT-NAME and its digest."""
    revision = made_of()
    if not revision:
        print("no commit: this isn't a git checkout; pushing without the tag COMMIT-NAME", file=sys.stderr)
    tags = {one.name: [check_tag(one.version), *_commit_tags(revision, one.name)] for one in images}
    registry, sources = open_registry("pull,push"), Sources()
    for one in images:
        _push(registry, one.name, one.image, tags[one.name], sources)


def _commit_tags(revision: str, name: str) -> list[str]:
    return [check_tag(f"{revision}-{name.replace('/', '-')}")] if revision else []


def _push(registry: Registry, name: str, image: Image, tags: Sequence[str], sources: Sources) -> None:
    sent = push(registry, name, image, tags, sources)
    full = f"{registry.address.host}/{registry.address.repository(name)}"
    for reference in [*(f":{tag}" for tag in tags), f"@{image.digest}"]:
        print(f"{full}{reference}")
    print(f"{full}: {megabytes(sent) if sent else 'nothing'} sent", file=sys.stderr)


def push_image(archive: str, reference: str) -> None:
    """Push an archive under NAMESPACE/NAME:TAG."""
    name, tag = parse_reference(reference)
    with closing(Files(place(archive))) as files:
        image = read_archive(files)
        _push(open_registry("pull,push"), name, image, [tag], Sources())


def _save_all(images: Sequence[Named], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for one in images:
        save(one.image, f"{one.name}:{one.version}", folder / f"{one.name.replace('/', '-')}.tar")


def _checkout() -> Path:
    """Where `bazel run` was called."""
    if found := os.environ.get("BUILD_WORKSPACE_DIRECTORY"):
        return Path(found)
    raise UserError("BUILD_WORKSPACE_DIRECTORY isn't set, so the sources can't be found; start it by `bazel run`")


def _develop(one: Named, options: argparse.Namespace) -> None:
    sources, others = sort_sources(one.sources, _checkout())
    if others:
        print(
            f"not mounted, because they are generated or templates (build again when their sources change): "
            f"{', '.join(others)}",
            file=sys.stderr,
        )
    env = [each if "=" in each else f"{each}={_variable(each)}" for each in options.env]
    engine = Engine(find_address())
    load(engine, one.image, f"{one.name}:{one.version}")
    Development(engine, one.name, one.image, sources, options.network, env, options.fresh).run()


def _variable(name: str) -> str:
    if name not in os.environ:
        raise UserError(f"--env {name}: there is no such variable here; set it, or give --env {name}=VALUE")
    return os.environ[name]


def _load_all(images: Sequence[Named]) -> None:
    engine = Engine(find_address())
    for one in images:
        load(engine, one.image, f"{one.name}:{one.version}")


def _parser(verb: str) -> argparse.ArgumentParser:
    descriptions = {
        "clean": "Remove the containers and images that were loaded from here. " + _DAEMON,
        "update_bases": "Lock an image of a registry as a base, or all bases anew. " + _REGISTRY,
        "commit": "Keep the state of the container in which NAME.dev runs, for its next start. " + _DAEMON,
        "dev": "Run the image with its sources mounted, and restart it when one changes; Ctrl-C ends it. " + _DAEMON,
        "load": "Have the image in docker or podman; only layers that aren't there are sent. " + _DAEMON,
        "push": "Push under the version, COMMIT-NAME and the digest. " + _REGISTRY,
        "push_image": "Push an image archive. " + _REGISTRY,
        "save": "Write the image as an archive, for `docker load`, `podman load` and what reads OCI archives.",
        "save_all": "Write each image as an archive, DIR/NAME.tar.",
    }
    parser = argparse.ArgumentParser(prog=verb, description=descriptions[verb])
    if verb == "clean":
        parser.add_argument(
            "--keep-images", action="store_true", help="only containers; the next load sends less, then"
        )
    elif verb == "dev":
        parser.add_argument(
            "--env", action="append", default=[], metavar="NAME[=VALUE]", help="a variable; without a value, this one's"
        )
        parser.add_argument("--network", default="host", help="docker's name of a network (default: host)")
        parser.add_argument("--fresh", action="store_true", help="start from the image, not from what .commit has kept")
    elif verb == "push_image":
        parser.add_argument(
            "archive", metavar="ARCHIVE", help="an OCI or docker archive, or the folder of an OCI layout"
        )
        parser.add_argument("reference", metavar="NAMESPACE/NAME:TAG")
    elif verb == "update_bases":
        parser.add_argument("name", nargs="?", help="what BUILD files call the base; without it, all are locked anew")
        parser.add_argument("reference", nargs="?", metavar="NAMESPACE/IMAGE:TAG")
    elif verb in ("save", "save_all"):
        parser.add_argument("place", metavar="FILE" if verb == "save" else "DIR")
    return parser


def main(arguments: Sequence[str]) -> int:
    """The command line: the target's settings, and the user's words."""
    verb, images = read_settings(Path(arguments[0]))
    options = _parser(verb).parse_args(arguments[1:])
    if verb == "push":
        push_all(images)
    elif verb == "push_image":
        push_image(options.archive, options.reference)
    elif verb == "load":
        _load_all(images)
    elif verb == "dev":
        _develop(images[0], options)
    elif verb == "update_bases":
        update_bases(_checkout(), options.name, options.reference)
    elif verb == "commit":
        print(commit(Engine(find_address()), images[0].name))
    elif verb == "save":
        save(images[0].image, f"{images[0].name}:{images[0].version}", place(options.place))
    elif verb == "save_all":
        _save_all(images, place(options.place))
    else:
        clean(Engine(find_address()), options.keep_images)
    return 0


if __name__ == "__main__":
    run(main)
