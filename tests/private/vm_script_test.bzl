"""vm_test: a test whose steps a Python script takes in virtual machines."""

load("//roots:defs.bzl", "ROOT_TOOLCHAINS")
load(":vm_program.bzl", "VM_PROGRAM_ATTRS", "vm_program")

def _vm_test_impl(ctx):
    return [vm_program(ctx, timeout = ctx.attr.deadline or None)]

vm_script_test = rule(
    implementation = _vm_test_impl,
    doc = "Boots the machines and runs the script; the macro vm_test declares it.",
    attrs = {
        "deadline": attr.int(
            doc = "Seconds after which the test has failed, if sooner than Bazel's time-out; 0 for none.",
        ),
    } | VM_PROGRAM_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
    test = True,
)
