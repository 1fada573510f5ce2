# Loads the module that does the harm of the variable WHAT.
import os

what = os.environ["WHAT"]
with section(f"Trouble: {what}"):
    vm.insmod("trouble.ko", what=what)
    vm.check_kernel_log(taint="OE")
