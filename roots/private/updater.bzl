"""updater: a `bazel run` target that writes locks, with apt from a locked root."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "PythonToolInfo", "RUNTIME_ATTRS", "runtime_folder")
load(":providers.bzl", "RootInfo")

def _updater_impl(ctx):
    runtime = ctx.toolchains[PYTHON_TOOLCHAIN].py3_runtime
    tool = ctx.attr.tool[PythonToolInfo].archive
    archive = ctx.attr._apt[RootInfo].archive
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.expand_template(
        template = ctx.file._template,
        output = script,
        substitutions = {
            "{archive}": archive.short_path,
            "{python}": runtime.interpreter.short_path,
            "{runtime}": runtime_folder(ctx, in_runfiles = True),
            "{tool}": tool.short_path,
            "{workspace}": ctx.workspace_name,
        },
        is_executable = True,
    )
    return [DefaultInfo(
        executable = script,
        runfiles = ctx.runfiles(
            files = [archive, runtime.interpreter, tool] + ctx.files._programs,
            transitive_files = runtime.files,
        ),
    )]

updater = rule(
    implementation = _updater_impl,
    doc = """Runs a tool that resolves packages and writes locks into the checkout.

The tool is called with `--workspace` (the checkout) and `--apt-root` (the unpacked root
`apt`), after the words of the user.""",
    attrs = {
        "tool": attr.label(
            doc = "The tool.",
            mandatory = True,
            providers = [PythonToolInfo],
        ),
        "_apt": attr.label(
            default = "//roots:apt",
            providers = [RootInfo],
        ),
        "_template": attr.label(
            default = "//roots/private:updater.sh.template",
            allow_single_file = True,
        ),
    } | RUNTIME_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    executable = True,
)
