"""Make one image as people do without us: packages into a tree, dpkg in it, and umoci or buildah for layer and image.

It is called once for each image, in a namespace with a tmpfs, which is where our own action has its tree. Its word is a
plan, JSON:

    {"builder": "umoci" or "buildah", "root": FOLDER with both, "runtime": FOLDER, "configuring": ARCHIVE of the root
     container-build, "debs": [FILE], "files": [plan of a files_layer], "spec": {...} of a container_image,
     "stage": FOLDER, "output": FOLDER}

The owners of files are left out: all belong to root, which costs the baseline less than it costs us.
"""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.containers.configure import Stage, configure, prepare
from tools.containers.package_layer import MERGED
from tools.lib.cli import run
from tools.lib.errors import UserError

BUILDERS = ("umoci", "buildah")


def _skeleton(blob: Path) -> None:
    """A layer of the folders into which packages of a merged /usr are unpacked."""
    with tarfile.open(blob, "w:gz", compresslevel=1) as archive:
        for name in MERGED:
            folder = tarfile.TarInfo(f"usr/{name}")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder, io.BytesIO())


def make_tree(plan: dict[str, Any], stage: Stage) -> None:
    """Unpack and configure the packages, and copy the files."""
    blob = stage.folder / "skeleton.tar.gz"
    _skeleton(blob)
    prepare(stage, Path(plan["configuring"]), [], [blob])
    debs = [Path(deb) for deb in plan["debs"]]
    for deb in debs:
        words = [str(stage.runtime / "bin/dpkg-deb"), "--fsys-tarfile", str(deb)]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as opened:
            unpacked = [str(stage.runtime / "bin/tar"), "-xf", "-", "-C", str(stage.image), "--no-same-owner"]
            subprocess.run([*unpacked, "--keep-directory-symlink"], stdin=opened.stdout, check=True)
    configure("baseline", stage, debs, "")
    for files in plan["files"]:
        for name in files["directories"]:
            (stage.image / name.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for source, place in [*files["files"], *files["templates"]]:
            target = stage.image / place.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(int(files["modes"].get(place, "0644"), 8))


def commands(builder: str, spec: dict[str, Any]) -> str:
    """What the builder's user types, for a tree in /forge/tree and an image in /forge/output."""
    entrypoint = spec["entrypoint"]
    if builder == "umoci":
        words = " ".join(f"--config.entrypoint '{word}'" for word in entrypoint)
        return (
            "umoci init --layout /forge/output/image && umoci new --image /forge/output/image:1 && "
            "umoci insert --rootless --image /forge/output/image:1 /forge/tree / && "
            f"umoci config --image /forge/output/image:1 {words}"
        )
    calling = "buildah --storage-driver vfs --root /forge/output/storage --runroot /tmp/run"
    return (
        f"made=$({calling} from scratch) && {calling} copy --quiet $made /forge/tree / && "
        f"{calling} config --entrypoint '{json.dumps(entrypoint)}' $made && "
        f"{calling} commit --quiet --format oci $made oci:/forge/output/image:1"
    )


def make_image(plan: dict[str, Any], stage: Stage) -> None:
    """Make an image of the tree. Raises UserError with what the builder said."""
    output = Path(plan["output"])
    output.mkdir(parents=True)
    words = [str(stage.runtime / "bin/bwrap"), "--unshare-user", "--unshare-pid", "--unshare-net"]
    words += ["--uid", "0", "--gid", "0", "--cap-add", "ALL", "--die-with-parent", "--ro-bind", plan["root"], "/"]
    words += ["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/run", "--tmpfs", "/var/tmp"]
    words += ["--bind", str(stage.image), "/forge/tree", "--bind", str(output), "/forge/output", "--clearenv"]
    environment = {
        "HOME": "/tmp",
        "PATH": "/usr/sbin:/usr/bin",
        "BUILDAH_ISOLATION": "chroot",
        "_CONTAINERS_USERNS_CONFIGURED": "done",
    }
    for name, value in environment.items():
        words += ["--setenv", name, value]
    words += ["--", "sh", "-c", commands(plan["builder"], plan["spec"])]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise UserError(f"{plan['builder']} failed: {done.stdout.strip()}")


def main(arguments: Sequence[str]) -> int:
    """The command line: the plan's file."""
    plan: dict[str, Any] = json.loads(Path(arguments[0]).read_text())
    stage = Stage(Path(plan["stage"]), Path(plan["runtime"]))
    make_tree(plan, stage)
    make_image(plan, stage)
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    run(main)
