"""fault_test: a fault in the datapath that a test of the kernels must find."""

load("//kernels:defs.bzl", "kernel_module", "kernel_module_source")
load("//tests/kernels:router_test.bzl", "router_test")
load("//tests/vm/broken:defs.bzl", "broken_test")

def fault_test(name, kernel, section, kind, message, within, script, machines = ["vm"], **kwargs):
    """Declare NAME, which passes if the script fails as it should with a vrouter that has NAME.patch.

    Args:
      name: the fault's name.
      kernel: the kernel's release.
      section: the title of the section that fails.
      kind: the kind of failure.
      message: a regular expression for its reason.
      within: the seconds that the step which fails may take.
      script: the script, the one of all kernels, or the one of tunnels.
      machines: the names of the machines, all in one network if there are several.
      **kwargs: what else router_test takes.
    """
    kernel_module_source(
        name = name + ".source",
        srcs = ["//vrouter:module_files"],
        driver = "kbuild",
        generated = {"//vrouter:messages": "generated"},
        modules = ["vrouter"],
        patches = {name + ".patch": ""},
        strip_prefix = "//vrouter",
    )
    kernel_module(
        name = name + ".module",
        headers = "//kernels:{}.headers".format(kernel),
        source = name + ".source",
        tags = ["manual"],
    )
    broken_test(
        name = name,
        kind = kind,
        machines = {machine: kernel for machine in machines},
        message = message,
        modules = [name + ".module"],
        script = script,
        section = section,
        test = router_test,
        networks = {"network": machines} if len(machines) > 1 else {},
        within = within,
        **kwargs
    )
