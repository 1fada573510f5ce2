"""vm_failure_test: a test that another VM test fails, and how."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "PythonToolInfo")
load(":tool_program.bzl", "TOOL_PROGRAM_ATTRS", "tool_program")

def _vm_failure_test_impl(ctx):
    settings = ctx.actions.declare_file(ctx.label.name + ".settings.json")
    ctx.actions.write(settings, json.encode_indent({
        "kind": ctx.attr.kind,
        "message": ctx.attr.message,
        "section": ctx.attr.section,
        "test": ctx.executable.test.short_path,
        "within": ctx.attr.within,
    }))
    return [tool_program(ctx, ctx.attr._tool, settings, ctx.attr.test[DefaultInfo].default_runfiles)]

vm_failure_test = rule(
    implementation = _vm_failure_test_impl,
    doc = """Passes if a vm_test fails as it should: in this section, with this kind of failure and message, in time, leaving nothing behind.

That test is tagged `manual`; its outputs are in the folder `failed` of this one's.""",
    attrs = {
        "kind": attr.string(
            doc = "The kind of failure: one of those of tools/vm/failure.py, for example `panic`.",
            mandatory = True,
        ),
        "message": attr.string(
            doc = "A regular expression (Python's) for the reason that result.json gives.",
        ),
        "section": attr.string(
            doc = "The title of the section that fails, the innermost one; empty for any, or none.",
        ),
        "test": attr.label(
            doc = "The vm_test.",
            mandatory = True,
            executable = True,
            cfg = "target",
        ),
        "within": attr.int(
            doc = "The seconds that the step that fails may take, until the verdict; 0 for no limit.",
        ),
        "_tool": attr.label(
            default = "//tools/vm_test:check_failure",
            providers = [PythonToolInfo],
        ),
    } | TOOL_PROGRAM_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    test = True,
)
