"""A script that asks for little."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.script import vm

vm.succeed("true")
