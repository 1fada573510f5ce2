"""python_tool: a command-line tool as one file that the locked Python runs."""

load("@rules_python//python:defs.bzl", "PyInfo")

PYTHON_TOOLCHAIN = "@bazel_tools//tools/python:toolchain_type"

# What a rule needs for tools that run programs of the runtime besides Python.
RUNTIME_ATTRS = {
    "_bwrap": attr.label(
        default = "@tool_runtime//:bin/bwrap",
        allow_single_file = True,
    ),
    "_programs": attr.label(default = "@tool_runtime//:programs"),
}

def runtime_folder(ctx, in_runfiles = False):
    """The path of the tool runtime's folder, for a tool's `--runtime`.

    Args:
      ctx: the context of a rule that has RUNTIME_ATTRS.
      in_runfiles: whether the path is for `bazel run`, not for an action.

    Returns:
      A string.
    """
    bwrap = ctx.file._bwrap
    return (bwrap.short_path if in_runfiles else bwrap.path).removesuffix("/bin/bwrap")

PythonToolInfo = provider(
    "A tool as one archive of Python modules.",
    fields = {
        "archive": "File: a zip with a __main__.py (PEP 441), to be run as `python3 -I archive`.",
    },
)

def _entry(import_roots):
    def name_in_archive(file):
        path = file.short_path
        for root in import_roots:
            if path.startswith(root):
                return "{}={}".format(path[len(root):], file.path)
        return "{}={}".format(path, file.path)

    return name_in_archive

def _python_tool_impl(ctx):
    runtime = ctx.toolchains[PYTHON_TOOLCHAIN].py3_runtime

    # Their sources and `data`.
    sources = depset(transitive = [dep[DefaultInfo].default_runfiles.files for dep in ctx.attr.deps])
    imports = depset(transitive = [dep[PyInfo].imports for dep in ctx.attr.deps])
    archive = ctx.actions.declare_file(ctx.label.name + ".pyz")
    start = ctx.actions.args()
    start.add("-ISB")
    start.add(ctx.file._packer)
    args = ctx.actions.args()
    args.add(archive)
    args.add(ctx.attr.module)
    args.add_all(
        sources,
        map_each = _entry(["../{}/".format(path) for path in imports.to_list()]),
        allow_closure = True,
    )
    args.use_param_file("@%s", use_always = True).set_param_file_format("multiline")
    ctx.actions.run(
        executable = runtime.interpreter,
        arguments = [start, args],
        inputs = depset([ctx.file._packer], transitive = [sources]),
        tools = runtime.files,
        outputs = [archive],
        mnemonic = "PythonTool",
        progress_message = "Packing tool %{label}",
    )
    return [
        DefaultInfo(files = depset([archive])),
        PythonToolInfo(archive = archive),
    ]

python_tool = rule(
    implementation = _python_tool_impl,
    doc = """Packs a Python module and all that it imports into one archive, for `run_python_tool`.

The libraries' `data` is packed, too, to be read by importlib.resources.""",
    attrs = {
        "deps": attr.label_list(
            doc = "The py_library targets of the tool.",
            providers = [PyInfo],
            mandatory = True,
        ),
        "module": attr.string(
            doc = "The module that is run as __main__, for example `tools.kernels.gate`.",
            mandatory = True,
        ),
        "_packer": attr.label(
            default = "//tools/python:pack.py",
            allow_single_file = True,
        ),
    },
    toolchains = [PYTHON_TOOLCHAIN],
)

def run_python_tool(ctx, tool, arguments, inputs, outputs, tools = None, **kwargs):
    """Declare an action that runs a python_tool with the locked Python.

    Args:
      ctx: the rule's context; the rule has PYTHON_TOOLCHAIN among its toolchains.
      tool: the python_tool target.
      arguments: a list of `Args` for the tool.
      inputs: a depset of input files.
      outputs: the declared outputs.
      tools: a depset of further files that the tool runs.
      **kwargs: `mnemonic`, `progress_message` and the like, for ctx.actions.run.
    """
    runtime = ctx.toolchains[PYTHON_TOOLCHAIN].py3_runtime
    archive = tool[PythonToolInfo].archive
    start = ctx.actions.args()
    start.add("-ISB")
    start.add(archive)
    ctx.actions.run(
        executable = runtime.interpreter,
        arguments = [start] + arguments,
        inputs = inputs,
        outputs = outputs,
        tools = depset([archive], transitive = [runtime.files] + ([tools] if tools else [])),
        **kwargs
    )
