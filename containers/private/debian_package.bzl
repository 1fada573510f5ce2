"""debian_package: one locked Debian package as a layer, compressed once for all images that hold it."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool")
load(":layer_files.bzl", "LAYER_ATTRS", "declare_layer", "layer_arguments", "layer_outputs")
load(":providers.bzl", "LayersInfo", "PackageInfo", "PackagesInfo")

def _debian_package_impl(ctx):
    component = json.decode(ctx.attr.component)
    layer = declare_layer(ctx, ctx.label.name, component["name"])
    args = layer_arguments(ctx, layer)
    args.add(ctx.file.deb)
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset([ctx.file.deb]),
        outputs = layer_outputs(layer),
        tools = depset(ctx.files._programs + ctx.files._zstd),
        mnemonic = "PackageLayer",
        progress_message = "Making the layer of " + component["name"],
    )
    package = PackageInfo(
        component = ctx.attr.component,
        deb = ctx.file.deb,
        layer = layer,
    )
    return [
        DefaultInfo(files = depset(layer_outputs(layer))),
        package,
        PackagesInfo(
            layer = layer,
            packages = [package],
        ),
        LayersInfo(
            accounts = None,
            component_files = depset(),
            components = depset([ctx.attr.component]),
            layers = [layer],
            sources = [],
        ),
    ]

debian_package = rule(
    implementation = _debian_package_impl,
    doc = "One locked Debian package as a layer. `container_packages` declares them.",
    attrs = {
        "component": attr.string(
            doc = "The package's entry of LayersInfo.components.",
            mandatory = True,
        ),
        "deb": attr.label(
            doc = "The package.",
            mandatory = True,
            allow_single_file = [".deb"],
        ),
        "_tool": attr.label(default = "//tools/containers:package_layer"),
    } | LAYER_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo, PackageInfo, PackagesInfo],
)
