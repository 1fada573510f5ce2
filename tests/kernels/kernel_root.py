"""Commands in the root of a real kernel, from a test: the same tools that the rules run."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.kernels.parts import is_c_file, write_parts
from tools.kernels.source_archive import archive_files

RUN_IN_ROOT = "tools/roots/run_in_root.pyz"
BUILD_MODULE = "tools/kernels/build_module.pyz"
PATCH_SOURCE = "tools/kernels/patch_source.pyz"
COMPILE_OBJECT = "tools/kernels/compile_object.pyz"
PLAN_MODULE = "tools/kernels/plan_module.pyz"


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

    def _describe(
        self,
        folder: Path,
        files: dict[str, str],
        driver: str,
        modules: tuple[str, ...],
        patches: tuple[tuple[str, str], ...] = (),
        make_vars: dict[str, str] | None = None,
    ) -> list[str]:
        """Make the source's archive and description in `folder`; what run_in_root is told of them."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = {}
        for name, content in files.items():
            paths[name] = folder / "source" / name
            paths[name].parent.mkdir(parents=True, exist_ok=True)
            paths[name].write_text(content)
            paths[name].chmod(0o755 if content.startswith("#!") else 0o644)
        archive_files(paths, folder / "source.tar")
        words = []
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
        return [*words, "--input", f"{self.facts.absolute()}=/forge/kernel.json"]

    def _tool(self, folder: Path, tool: str, words: Sequence[str], arguments: Sequence[str]) -> list[str]:
        """The words of run_in_root that run one of the tools that work on the source."""
        words = [*words, "--tool", str(Path(tool).absolute()), "--keep", str(folder / "out")]
        words += ["--", "--kernel", "/forge/kernel.json", "--source", "/forge/source.json"]
        return [*words, *arguments]

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
        """Build a source as a whole, as the rule would; what it leaves is in `folder`/out.

        `files` are the source's; `patches` are (text, kernels) pairs. Messages name the source's
        root as "net/m" and the patches as "net/0.patch" and so on.
        """
        words = self._describe(folder, files, driver, modules, patches, make_vars)
        words += ["--layer", f"{folder}/source.tar=/build/source"]
        arguments = ["--compiler", self.compiler, "--whole", "the test says so"]
        return self.run(folder, *self._tool(folder, BUILD_MODULE, words, arguments))

    def build_objects(
        self,
        folder: Path,
        files: dict[str, str],
        *,
        driver: str = "kbuild",
        modules: tuple[str, ...] = ("m",),
        patches: tuple[tuple[str, str], ...] = (),
        required: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Build a source by its patches, a plan, a compile for each C file, and a link, as the rules would.

        `required` is whether it is an error that there is no plan. Ends with the first step that fails; what
        the steps leave is in the folders parts, plan, objects and link of `folder`, the results in link/out.
        """
        words = self._describe(folder, files, driver, modules, patches)
        names = sorted(filter(is_c_file, files))
        whole = ["--layer", f"{folder}/source.tar=/build/source"]
        parts, plan, link, objects = (folder / name for name in ("parts", "plan", "link", "objects"))
        for each in (parts, plan, link, objects):
            each.mkdir()
        if patches:
            done = self.run(parts, *self._tool(parts, PATCH_SOURCE, [*words, *whole], names))
            if done.returncode:
                return done
        else:
            (parts / "out").mkdir()
            c_files = {name: parts / "out" / str(number) for number, name in enumerate(names)}
            write_parts(folder / "source.tar", parts / "out/outline.tar", parts / "out/headers.tar", c_files)
        outline = [*words, "--layer", f"{parts}/out/outline.tar=/build/source"]
        arguments = ["--compiler", self.compiler, *(["--required"] if required else []), *names]
        done = self.run(plan, *self._tool(plan, PLAN_MODULE, outline, arguments))
        for number, name in enumerate(names):
            if done.returncode:
                return done
            done = self.compile_object(folder, name, number)
        if done.returncode:
            return done
        for kept in ("generated.tar", "plan.json"):
            (plan / "out" / kept).rename(objects / kept)
        words += [*whole, "--input", f"{objects}=/forge/objects"]
        arguments = ["--compiler", self.compiler, "--objects", "/forge/objects"]
        return self.run(link, *self._tool(link, BUILD_MODULE, words, arguments))

    def compile_object(self, folder: Path, name: str, number: int) -> subprocess.CompletedProcess[str]:
        """Compile the C file `name`, the plan's `number`th."""
        command = [runtime() / "bin/python3", "-ISB", Path(COMPILE_OBJECT).absolute(), "--runtime", runtime()]
        command += ["--layer", Path(self.root).absolute(), "--layer", Path(self.headers, "headers.tar").absolute()]
        command += ["--tree", folder / "parts/out/headers.tar", "--tree", folder / "plan/out/generated.tar"]
        command += ["--plan", folder / f"plan/out/{number}", "--c-file", f"{name}={folder / f'parts/out/{number}'}"]
        command += ["--label", "//net:m", "--release", self.release, "--output", folder / f"objects/{number}.tar"]
        return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)


def kernel_roots() -> list[KernelRoot]:
    """The kernels of the test's `lines`, oldest first."""
    return [KernelRoot(**kernel) for kernel in json.loads(os.environ["KERNELS"])]
