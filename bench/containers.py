"""Measure the container rules, each step against its baseline or bound in the same run.

1. All images of containers/catalogue.bzl, cold, with packages fetched and tools there, against umoci and buildah from
   Debian, which make the same images of the same packages, as many at once as there are cores.
2. One file of an image changed: seconds, and which layers are new.
3. One package changed: which layers are new, and which actions ran.
4. A push of an unchanged image, and of one whose 1 MB layer of 500 MB has changed, to Debian's docker-registry.

The exit code is 1 when a bound is missed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.bazel import Bazel, busy
from bench.bound import Bound
from bench.image_baseline import BUILDERS
from tests.containers.registry import Root, Wire, registry
from tests.containers.synthetic_image import layer, write_layout
from tools.containers.image import Files, read_archive
from tools.containers.push import push
from tools.containers.reference import Address
from tools.containers.registry import Registry
from tools.farm.root import remove, unpack
from tools.lib.cli import run
from tools.lib.errors import UserError

RUNTIME = Path("../tool_runtime").absolute()
_ROOT = Path("roots/image-builders.tar").absolute()
_SKIPPED = shutil.ignore_patterns(".git", "bazel-*", "__pycache__", "user.bazelrc", ".*_cache")
_EDITED = "redis"  # the image of steps 2 and 3
_EDITED_FILE, _EDITED_PACKAGE = "entrypoint.sh", "redis-server"
_LAYERS, _LAYER_BYTES, _CHANGED_BYTES = 10, 50_000_000, 1_000_000


class Images:
    """The images of a checkout, built by a Bazel of its own."""

    def __init__(self, bazel: Bazel) -> None:
        self.bazel = bazel
        self.names = [label.rpartition(":")[2] for label in self._query("labels(images, //containers:push_all)")]
        self.targets = [f"//containers/{name}" for name in self.names]
        self.base = Path()

    def _query(self, expression: str) -> list[str]:
        return self.bazel.run("query", expression).split()

    def prepare(self) -> None:
        """Fetch the packages, and build tools, roots, and the files that images are given."""
        every = f"deps(set({' '.join(self.targets)}))"
        kinds = {"files": "files_layer", "templates": "files_layer", "modules": "module_layer", "wheels": "wheel_layer"}
        given = [f'labels({name}, kind("{kind} rule", {every}))' for name, kind in kinds.items()]
        tools = ['kind("python_tool rule", //tools/containers:all)', "set(//roots:container-build)"]
        self.bazel.run("build", "--nobuild", "--symlink_prefix=/", *self.targets)
        self.bazel.build(*self._query(" + ".join([*given, *tools])))
        self.base = self.bazel.execution_root()

    def output(self, name: str, suffix: str) -> Any:
        """The content of a JSON file of an image."""
        folder = self.base / f"bazel-out/k8-fastbuild/bin/containers/{name}"
        return json.loads((folder / f"{name}.{suffix}.json").read_text())

    def blobs(self, name: str) -> list[str]:
        """The digests of an image's layers."""
        return [entry["digest"] for entry in self.output(name, "manifest")["layers"]]

    def plan(self, name: str) -> dict[str, Any]:
        """What another builder needs to know of an image (bench/image_baseline.py)."""
        image = self.output(name, "plan")
        debs: list[str] = []
        files: list[Any] = []
        for entry in image["layers"]:
            stem = str(self.base / entry["contents"]).removesuffix(".contents.json")
            if Path(f"{stem}.packages.json").exists():
                configured = json.loads(Path(f"{stem}.packages.json").read_text())
                debs += [str(self.base / deb) for deb in configured["debs"]]
            elif Path(f"{stem}.plan.json").exists():
                files.append(self._files(json.loads(Path(f"{stem}.plan.json").read_text())))
        return {"debs": debs, "files": files, "spec": image["spec"]}

    def _files(self, plan: dict[str, Any]) -> dict[str, Any]:
        places = {
            kind: [[str(self.base / source), place] for source, place in plan.get(kind, ())]
            for kind in ("files", "templates")
        }
        return {"directories": plan.get("directories", []), "modes": plan.get("modes", {})} | places

    def rebuild(self) -> tuple[float, int, dict[str, int]]:
        """Build the edited image: seconds, how many layers are new, and the actions that ran, by mnemonic."""
        before = set(self.blobs(_EDITED))
        events = self.bazel.output.parent / "events.json"
        seconds = self.bazel.build(f"--build_event_json_file={events}", f"//containers/{_EDITED}")
        return seconds, len(set(self.blobs(_EDITED)) - before), executed(events)


def executed(events: Path) -> dict[str, int]:
    """How many actions of each mnemonic ran, from --build_event_json_file."""
    for line in events.read_text().splitlines():
        if metrics := json.loads(line).get("buildMetrics"):
            return {each["mnemonic"]: int(each["actionsExecuted"]) for each in metrics["actionSummary"]["actionData"]}
    raise UserError(f"{events}: it has no metrics of the build, so Bazel didn't end it well")


def baseline(builder: str, images: Images, scratch: Path) -> float:
    """Make all images by another builder; seconds of wall time."""
    root = unpack(RUNTIME / "bin/tar", [_ROOT], scratch / "builders")
    for name in ("forge/tree", "forge/output", "run", "var/tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    common = {"builder": builder, "root": str(root), "runtime": str(RUNTIME)}
    common["configuring"] = str(images.base / "bazel-out/k8-fastbuild/bin/roots/container-build.tar")
    jobs = []
    for name in images.names:
        folder = scratch / builder / name
        (folder / "stage").mkdir(parents=True)
        plan = {**common, **images.plan(name), "stage": str(folder / "stage"), "output": str(folder / "output")}
        (folder / "plan.json").write_text(json.dumps(plan))
        jobs.append(folder)

    def make(folder: Path) -> None:
        words = [str(RUNTIME / "bin/bwrap"), "--unshare-user", "--unshare-ipc", "--die-with-parent"]
        words += ["--dev-bind", "/", "/", "--tmpfs", str(folder / "stage"), "--"]
        words += [sys.executable, "-m", "bench.image_baseline", str(folder / "plan.json")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"{builder}: {folder.name}: {done.stderr.strip()}")

    start = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(make, jobs))
    seconds = time.monotonic() - start
    remove(scratch / builder)
    return seconds


def edited_file(images: Images) -> None:
    """Change a file of the image."""
    path = images.bazel.workspace / "containers" / _EDITED / _EDITED_FILE
    path.write_text(path.read_text() + "# Changed.\n")


def edited_package(images: Images, scratch: Path) -> None:
    """Change the package's copyright file, as a new version of it would change files."""
    plan = images.plan(_EDITED)
    (deb,) = [Path(deb).resolve() for deb in plan["debs"] if Path(deb).name == f"{_EDITED_PACKAGE}.deb"]
    root = unpack(RUNTIME / "bin/tar", [_ROOT], scratch / "builders")
    words = [str(RUNTIME / "bin/bwrap"), "--unshare-user", "--uid", "0", "--gid", "0", "--ro-bind", str(root), "/"]
    words += ["--dev", "/dev", "--proc", "/proc", "--bind", str(deb.parent), "/forge", "--tmpfs", "/tmp", "--"]
    change = f"dpkg-deb -R {deb.name} /tmp/t && echo Changed. >> /tmp/t/usr/share/doc/{_EDITED_PACKAGE}/copyright"
    made = f"cd /forge && {change} && dpkg-deb --root-owner-group -Zxz -z1 -b /tmp/t new && mv -f new {deb.name}"
    subprocess.run([*words, "sh", "-c", made], check=True, stdout=subprocess.DEVNULL)


def pushes(folder: Path) -> Iterable[Bound]:
    """Step 4."""
    first = [layer(_LAYER_BYTES, seed) for seed in range(_LAYERS)]
    changed = _LAYERS
    write_layout(folder / "first", [*first, layer(_CHANGED_BYTES, changed)])
    write_layout(folder / "second", [*first, layer(_CHANGED_BYTES, changed + 1)])
    del first
    (folder / "data").mkdir()
    with registry(Root(folder / "registry"), {}, ("--bind", str(folder / "data"), "/data")) as port:
        wire = Wire(port)
        client = Registry(Address(f"http://127.0.0.1:{wire.port}", ""), None)

        def sent(name: str) -> tuple[int, int]:
            before = wire.up
            image = read_archive(Files(folder / name))
            return push(client, "bench/image", image, ["1"]), wire.up - before

        print(f"push of 500 MB: {sent('first')[1] / 1e6:.1f} MB of upload", flush=True)
        layers, everything = sent("first")
        yield Bound("push, nothing changed: bytes of layers", layers, 0)
        print(f"push, nothing changed: {everything} bytes of upload")
        yield Bound("push, 1 MB of 500 MB changed: upload", sent("second")[1] / 1e6, 1.2, "MB")
        wire.close()


def compare(images: Images, scratch: Path) -> Iterable[Bound]:
    """Steps 1 to 3."""
    images.prepare()
    print(f"{len(images.names)} images: {', '.join(images.names)}; {busy()}", flush=True)
    cold = images.bazel.build(*images.targets)
    print(f"bazel build, cold      {cold:8.1f} s", flush=True)
    found = {}
    for builder in BUILDERS:
        found[builder] = baseline(builder, images, scratch)
        print(f"{builder:<8} (baseline)    {found[builder]:8.1f} s", flush=True)
    yield Bound("all images cold / the fastest baseline", cold / min(found.values()), 0.5)
    images.bazel.build(*images.targets)  # Bazel's own bookkeeping of a long pause isn't an edit's
    edited_file(images)
    seconds, layers, _ = images.rebuild()
    yield Bound("a changed file", seconds, 1.0, "s")
    yield Bound("a changed file: new layers", layers, 1)
    edited_package(images, scratch)
    seconds, layers, actions = images.rebuild()
    print(f"a changed package: {seconds:.1f} s; {actions}")
    yield Bound("a changed package: new layers, its own and the configured one", layers, 2)


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="bench/containers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".")))
    parser.add_argument("--scratch", type=Path, default=Path("/var/tmp"), help="a folder with room for 10 GB")
    parser.add_argument("--step", choices=["all", "build", "push"], default="all")
    options = parser.parse_args(arguments)
    bounds: list[Bound] = []
    with tempfile.TemporaryDirectory(prefix="forge-bench.", dir=options.scratch) as folder:
        scratch = Path(folder)
        try:
            if options.step != "push":
                copy = scratch / "checkout"
                shutil.copytree(options.workspace.resolve(), copy, symlinks=True, ignore=_SKIPPED)
                bazel = Bazel(copy, scratch / "bazel")
                try:
                    bounds += compare(Images(bazel), scratch)
                finally:
                    bazel.run("shutdown")
            if options.step != "build":
                bounds += pushes(scratch / "push")
        finally:
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    print("\n".join(str(bound) for bound in bounds))
    return 0 if all(bound.kept for bound in bounds) else 1


if __name__ == "__main__":
    run(main)
