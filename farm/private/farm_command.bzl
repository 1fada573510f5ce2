"""farm_command: a `bazel run` target for one of the farm's commands."""

load("//roots:defs.bzl", "RootInfo", "root_layers")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "PythonToolInfo", "RUNTIME_ATTRS", "runtime_folder")

_COMMANDS = ["certificate", "check", "configuration", "down", "status", "token", "up", "verify"]

# They bring the farm's roots, whose programs they run or unpack.
_WITH_ROOTS = ["certificate", "check", "configuration", "up"]

def _farm_command_impl(ctx):
    if ctx.attr.command not in _COMMANDS:
        fail("{}: the farm has no command '{}'; it has: {}".format(ctx.label, ctx.attr.command, ", ".join(_COMMANDS)))
    layers = {
        "--server-layer": root_layers(ctx.attr._server, ["wheels"]),
        "--worker-layer": root_layers(ctx.attr._worker),
    } if ctx.attr.command in _WITH_ROOTS else {}
    runtime = ctx.toolchains[PYTHON_TOOLCHAIN].py3_runtime
    tool = ctx.attr._tool[PythonToolInfo].archive
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.expand_template(
        template = ctx.file._template,
        output = script,
        substitutions = {
            "{command}": ctx.attr.command,
            "{layers}": " ".join(['{} "{}"'.format(option, file.short_path) for option, files in layers.items() for file in files]),
            "{python}": runtime.interpreter.short_path,
            "{runtime}": runtime_folder(ctx, in_runfiles = True),
            "{templates}": ctx.files._templates[0].short_path.rpartition("/")[0],
            "{tool}": tool.short_path,
            "{workspace}": ctx.workspace_name,
        },
        is_executable = True,
    )
    return [DefaultInfo(
        executable = script,
        runfiles = ctx.runfiles(
            files = [runtime.interpreter, tool] + ctx.files._programs + ctx.files._templates +
                    [file for files in layers.values() for file in files],
            transitive_files = runtime.files,
        ),
    )]

farm_command = rule(
    implementation = _farm_command_impl,
    doc = "Runs a command of the farm (tools/farm/main.py) with the user's words.",
    attrs = {
        "command": attr.string(
            doc = "The command: certificate, check, configuration, down, status, token, up or verify.",
            mandatory = True,
        ),
        "_server": attr.label(
            default = "//roots:farm-server",
            providers = [RootInfo],
        ),
        "_template": attr.label(
            default = "//farm/private:farm_command.sh.template",
            allow_single_file = True,
        ),
        "_templates": attr.label(default = "//farm:templates"),
        "_tool": attr.label(
            default = "//tools/farm",
            providers = [PythonToolInfo],
        ),
        "_worker": attr.label(
            default = "//roots:farm-worker",
            providers = [RootInfo],
        ),
    } | RUNTIME_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    executable = True,
)
