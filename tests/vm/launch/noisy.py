"""A script whose outputs take much room."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.script import vm

for _ in range(20):
    vm.succeed("head -c 30000 /dev/zero | tr '\\0' x")
