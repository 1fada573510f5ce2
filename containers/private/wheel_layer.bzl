"""wheel_layer: locked wheels as a virtual environment."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool")
load(":layer_files.bzl", "LAYER_ATTRS", "declare_layer", "layer_arguments", "layer_label", "layer_outputs")
load(":providers.bzl", "LayersInfo")

def _wheel_layer_impl(ctx):
    layer = declare_layer(ctx, ctx.label.name, layer_label(ctx))
    components = ctx.actions.declare_file(ctx.label.name + ".components.json")
    args = layer_arguments(ctx, layer)
    args.add("--prefix", ctx.attr.prefix)
    args.add("--python", ctx.attr.python)
    args.add("--lock", ctx.file.lock.short_path)
    args.add("--components", components)
    args.add_all(ctx.files.wheels)
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset(ctx.files.wheels),
        outputs = layer_outputs(layer) + [components],
        tools = depset(ctx.files._zstd),
        mnemonic = "WheelLayer",
        progress_message = "Making layer %{label}",
    )
    return [
        DefaultInfo(files = depset(layer_outputs(layer))),
        LayersInfo(
            accounts = None,
            component_files = depset([components]),
            components = depset(),
            layers = [layer],
            sources = [],
        ),
    ]

wheel_layer = rule(
    implementation = _wheel_layer_impl,
    doc = """Locked wheels in a virtual environment of the image's own Python, which is a package of its package_layer.

A wheel with machine code must be for that Python. Modules aren't compiled.""",
    attrs = {
        "lock": attr.label(
            doc = "The wheels' lock, roots/NAME.requirements.txt; the SBOM names it.",
            mandatory = True,
            allow_single_file = [".requirements.txt"],
        ),
        "prefix": attr.string(
            doc = "Where the environment lies in the container.",
            default = "/opt/venv",
        ),
        "python": attr.string(
            doc = "The version of the image's Python.",
            default = "3.13",
        ),
        "wheels": attr.label(
            doc = "The wheels, from `locked_wheels`.",
            mandatory = True,
            allow_files = [".whl"],
        ),
        "_tool": attr.label(default = "//tools/containers:wheel_layer"),
    } | LAYER_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo],
)
