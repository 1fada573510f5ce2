"""vm_driver: the machines of a VM test for a person: a Python prompt, or the console of one of them."""

load("//roots:defs.bzl", "ROOT_TOOLCHAINS")
load(":vm_program.bzl", "VM_PROGRAM_ATTRS", "vm_program")

_MODES = ["console", "prompt"]

def _vm_driver_impl(ctx):
    if ctx.attr.mode not in _MODES:
        fail("{}: unknown mode '{}'; choose one of: {}".format(ctx.label, ctx.attr.mode, ", ".join(_MODES)))
    return [vm_program(ctx, words = ["--" + ctx.attr.mode], network = True)]

vm_driver = rule(
    implementation = _vm_driver_impl,
    doc = """`bazel run` starts the driver with the machines of a test, and the host's network for QEMU_NET_OPTS.

Outputs go to the folder FORGE_OUT, if set.""",
    attrs = {
        "mode": attr.string(
            doc = "`prompt`: a Python prompt with the machines as variables; `console`: the console of the one machine.",
            default = "prompt",
        ),
    } | VM_PROGRAM_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
    executable = True,
)
