# Loads the module that does the harm of the variable WHAT.
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.script import section, vm

what = os.environ["WHAT"]
with section(f"Trouble: {what}"):
    vm.insmod("trouble.ko", what=what)
    vm.check_kernel_log(taint="OE")
