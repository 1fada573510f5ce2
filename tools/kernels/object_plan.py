"""The plan of one object: the lines that kbuild runs to make it, and where.

The plan is a file of its own for each C file, so that a change of one object's command is a change of its plan alone.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class ObjectPlan:
    """How to make the object of a C file.

    cwd: the folder of the root that make was in. environment: all that the lines find there.
    recipe: shell lines, in order. links: folders that the lines know by another name: that name to the folder.
    shown: the source's folders in the root, each with the user's name for it.
    """

    cwd: str
    environment: Mapping[str, str]
    recipe: tuple[str, ...]
    links: Mapping[str, str]
    shown: Mapping[str, str]

    def to_json(self) -> str:
        """The plan as the text of a file, the same for the same plan."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ObjectPlan | None":
        """Read back what `to_json` wrote; None for the file of a C file that has no object, which is empty."""
        if not text.strip():
            return None
        content = json.loads(text)
        return cls(**content | {"recipe": tuple(content["recipe"])})
