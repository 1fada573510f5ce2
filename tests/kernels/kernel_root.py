"""Commands in the root of a real kernel, from a test: the same tools that the rules run."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.kernels.source_archive import archive_files

RUN_IN_ROOT = "tools/roots/run_in_root.pyz"
BUILD_MODULE = "tools/kernels/build_module.pyz"


def runtime() -> Path:
    """The tool runtime's folder, beside the workspace in the runfiles."""
    return Path("../tool_runtime").absolute()


@dataclass(frozen=True)
class KernelRoot:
    """The root and the headers of one kernel. `line` is, for example, "6.1"."""

    line: str
    release: str
    compiler: str
    root: str
    headers: str

    @property
    def symvers(self) -> Path:
        """The kernel's Module.symvers."""
        return Path(self.headers, "Module.symvers")

    @property
    def facts(self) -> Path:
        """The kernel's kernel.json."""
        return Path(self.headers, "kernel.json")

    def run(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """run_in_root with these words after its layers; works in `folder`."""
        command = [runtime() / "bin/python3", "-ISB", Path(RUN_IN_ROOT).absolute(), "--runtime", runtime()]
        command += ["--release", self.release, "--layer", f"{Path(self.root).absolute()}=/"]
        command += ["--layer", f"{Path(self.headers, 'headers.tar').absolute()}=/", *words]
        return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)

    def shell(self, folder: Path, script: str) -> subprocess.CompletedProcess[str]:
        """A shell script, in the root, in /build."""
        return self.run(folder, "--", "sh", "-c", script)

    def build(
        self,
        folder: Path,
        files: dict[str, str],
        *,
        driver: str = "kbuild",
        modules: tuple[str, ...] = ("m",),
        patches: tuple[tuple[str, str], ...] = (),
        make_vars: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Build a source as the rule would; what it leaves is in `folder`/out.

        `files` are the source's; `patches` are (text, kernels) pairs. Messages name the source's
        root as "net/m" and the patches as "net/0.patch" and so on.
        """
        folder.mkdir(parents=True, exist_ok=True)
        paths = {}
        for name, content in files.items():
            paths[name] = folder / "source" / name
            paths[name].parent.mkdir(parents=True, exist_ok=True)
            paths[name].write_text(content)
        archive_files(paths, folder / "source.tar")
        words = ["--layer", f"{folder}/source.tar=/build/source"]
        described = []
        for number, (text, kernels) in enumerate(patches):
            (folder / f"{number}.patch").write_text(text)
            place = f"/forge/patches/{number}.patch"
            words += ["--input", f"{folder}/{number}.patch={place}"]
            described.append({"path": place, "name": f"net/{number}.patch", "kernels": kernels})
        description = {
            "label": "//net:m",
            "driver": driver,
            "directory": ".",
            "modules": modules,
            "make_vars": make_vars or {},
            "patches": described,
            "display": "net/m",
        }
        (folder / "source.json").write_text(json.dumps(description))
        words += ["--input", f"{folder}/source.json=/forge/source.json"]
        words += ["--input", f"{self.facts.absolute()}=/forge/kernel.json"]
        words += ["--tool", str(Path(BUILD_MODULE).absolute()), "--keep", str(folder / "out")]
        words += ["--", "--kernel", "/forge/kernel.json", "--source", "/forge/source.json"]
        return self.run(folder, *words, "--compiler", self.compiler)


def kernel_roots() -> list[KernelRoot]:
    """The kernels of the test's `lines`, oldest first."""
    return [KernelRoot(**kernel) for kernel in json.loads(os.environ["KERNELS"])]
