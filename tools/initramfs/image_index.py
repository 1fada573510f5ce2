"""The modules of a kernel's image, as tools/kernels/kernel_image.py leaves them for a test to choose from.

The index is JSON: {"release", "modules": {NAME: {"path", "needs": [NAME]}}, "builtin": [NAME]}.
Each module is in the image's archive at `path` ("kernel/drivers/net/veth.ko", below
/lib/modules/RELEASE) and wants those that it `needs` loaded before. Names have "_" where a
file may have "-".
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from tools.lib.errors import UserError


def module_name(text: str) -> str:
    """The name of a module, for its name in either spelling or its file's."""
    return text.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


@dataclass(frozen=True)
class Module:
    """One module of the archive."""

    path: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class ImageIndex:
    """What a kernel's image has."""

    release: str
    modules: dict[str, Module]
    builtin: tuple[str, ...]

    def to_json(self) -> str:
        """The index's text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ImageIndex":
        """Read back what `to_json` wrote."""
        content = json.loads(text)
        modules = {name: Module(each["path"], tuple(each["needs"])) for name, each in content["modules"].items()}
        return cls(content["release"], modules, tuple(content["builtin"]))

    def load_order(self, names: Iterable[str]) -> list[str]:
        """Paths of the modules and of all that they need, each after what it needs; built-in ones have none.

        Raises UserError for names that the archive doesn't have.
        """
        wanted = [module_name(name) for name in names]
        if message := unknown_names(wanted, [*self.modules, *self.builtin]):
            raise UserError(f"the image of kernel {self.release} has no module {message}; name it in `kernel_modules`")
        order: dict[str, None] = {}

        def add(name: str) -> None:
            if name in self.modules and self.modules[name].path not in order:
                for needed in self.modules[name].needs:
                    add(needed)
                order[self.modules[name].path] = None

        for name in wanted:
            add(name)
        return list(order)


def unknown_names(wanted: Iterable[str], known: Iterable[str]) -> str:
    """The wanted names that aren't known, each with those that are near; empty when all are known."""
    there = set(known)
    described = []
    for name in sorted(set(wanted) - there):
        near = get_close_matches(name, sorted(there), n=3)
        described.append(f"'{name}'" + (f" (near: {', '.join(near)})" if near else ""))
    return ", ".join(described)
