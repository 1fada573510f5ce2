"""generated_sources: a code-generation step of a module source, by a Python tool."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "PythonToolInfo", "run_python_tool")

def _generated_sources_impl(ctx):
    if not ctx.attr.outs:
        fail("{}: `outs` is empty; name the files that the tool writes, for example [\"messages.h\"]".format(ctx.label))
    outputs = [ctx.actions.declare_file("{}/{}".format(ctx.label.name, out)) for out in ctx.attr.outs]
    args = ctx.actions.args()
    for option, target in ctx.attr.srcs.items():
        args.add(option, target.files.to_list()[0])
    args.add("--out", outputs[0].dirname)
    run_python_tool(
        ctx,
        ctx.attr.tool,
        [args],
        inputs = depset(transitive = [target.files for target in ctx.attr.srcs.values()]),
        outputs = outputs,
        mnemonic = "GenerateSources",
        progress_message = "Generating sources %{label}",
    )
    return [DefaultInfo(files = depset(outputs))]

generated_sources = rule(
    implementation = _generated_sources_impl,
    doc = """Runs a python_tool that writes source files, for the `generated` of a kernel_module_source.

The tool is called as `TOOL OPTION FILE... --out FOLDER` and writes `outs` into the folder.""",
    attrs = {
        "outs": attr.string_list(
            doc = "The names of the files that the tool writes.",
        ),
        "srcs": attr.string_keyed_label_dict(
            doc = "The tool's input files by the option that each is given with, for example --schema.",
            allow_files = True,
        ),
        "tool": attr.label(
            doc = "The generator.",
            mandatory = True,
            providers = [PythonToolInfo],
        ),
    },
    toolchains = [PYTHON_TOOLCHAIN],
)
