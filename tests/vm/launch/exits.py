"""A script that ends itself before its end."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.script import vm

vm.succeed("true")
sys.exit(0)
vm.succeed("false")
