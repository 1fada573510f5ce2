"""The modules that a `modules_test` has built, one target for each line of kernels."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Built:
    """The outputs of one kernel_module target."""

    folder: Path

    @property
    def release(self) -> str:
        """The kernel's release."""
        return str(self.modinfo["release"])

    @property
    def modinfo(self) -> dict[str, Any]:
        """modinfo.json."""
        content: dict[str, Any] = json.loads((self.folder / "modinfo.json").read_text())
        return content

    @property
    def modules(self) -> dict[str, dict[str, Any]]:
        """What modinfo.json says of each module, by its name."""
        return {module["name"]: module for module in self.modinfo["modules"]}

    @property
    def compile_commands(self) -> list[dict[str, Any]]:
        """compile_commands.json."""
        content: list[dict[str, Any]] = json.loads((self.folder / "compile_commands.json").read_text())
        return content

    @property
    def how(self) -> str:
        """The first line of the build log: objects by actions of their own, or a whole, and why."""
        return (self.folder / "build.log").read_text().splitlines()[0]

    @property
    def exports(self) -> dict[str, str]:
        """Module.symvers: the exporting module's name by symbol."""
        lines = (self.folder / "Module.symvers").read_text().splitlines()
        return {line.split("\t")[1]: Path(line.split("\t")[2]).name for line in lines}


def built() -> list[Built]:
    """What the test's targets made, oldest line first."""
    return [Built(Path(folder)) for folder in os.environ["BUILT"].split()]


def expected_modules() -> dict[str, list[str]]:
    """What the modules should be, each with the modules that it depends on."""
    content: dict[str, list[str]] = json.loads(os.environ["MODULES"])
    return content
