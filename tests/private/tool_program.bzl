"""tool_program: the executable of a test or of a `bazel run` target, a python_tool with settings of its own."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "PythonToolInfo")

TOOL_PROGRAM_ATTRS = {
    "_template": attr.label(
        default = "//tests/private:tool_program.sh.template",
        allow_single_file = True,
    ),
}

def tool_program(ctx, tool, settings, runfiles):
    """Declare an executable that runs a tool with the locked Python, in the runfiles.

    Args:
      ctx: the context of a rule that has TOOL_PROGRAM_ATTRS and PYTHON_TOOLCHAIN.
      tool: the python_tool target; its first argument is the settings' path, then come the user's.
      settings: a File.
      runfiles: what else the tool uses.

    Returns:
      A DefaultInfo with the executable.
    """
    runtime = ctx.toolchains[PYTHON_TOOLCHAIN].py3_runtime
    archive = tool[PythonToolInfo].archive
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.expand_template(
        template = ctx.file._template,
        output = executable,
        substitutions = {
            "{python}": runtime.interpreter.short_path,
            "{settings}": settings.short_path,
            "{tool}": archive.short_path,
            "{workspace}": ctx.workspace_name,
        },
        is_executable = True,
    )
    own = ctx.runfiles(
        files = [archive, runtime.interpreter, settings],
        transitive_files = runtime.files,
    )
    return DefaultInfo(
        executable = executable,
        runfiles = own.merge(runfiles),
    )
