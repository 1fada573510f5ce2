"""joined_packages: several packages as one layer, of the bytes that each has as a layer of its own."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool")
load(":layer_files.bzl", "LAYER_ATTRS", "declare_layer", "layer_arguments", "layer_outputs")
load(":providers.bzl", "LayersInfo", "PackageInfo", "PackagesInfo")

def _joined_packages_impl(ctx):
    packages = [target[PackageInfo] for target in ctx.attr.packages]
    parts = [package.layer for package in packages]
    layer = declare_layer(ctx, ctx.label.name, ctx.label.name)
    args = layer_arguments(ctx, layer)
    args.add_all("--part-blobs", [part.blob for part in parts])
    args.add_all("--part-contents", [part.contents for part in parts])
    args.add_all("--part-metadata", [part.metadata for part in parts])
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset([file for part in parts for file in layer_outputs(part)]),
        outputs = layer_outputs(layer),
        tools = depset(ctx.files._zstd),
        mnemonic = "JoinedPackages",
        progress_message = "Joining the layer " + layer.name,
    )
    return [
        DefaultInfo(files = depset(layer_outputs(layer))),
        PackagesInfo(
            layer = layer,
            packages = packages,
        ),
        LayersInfo(
            accounts = None,
            component_files = depset(),
            components = depset([package.component for package in packages]),
            layers = [layer],
            sources = [],
        ),
    ]

joined_packages = rule(
    implementation = _joined_packages_impl,
    doc = "Several locked Debian packages as one layer; nothing is compressed again. `container_packages` declares them.",
    attrs = {
        "packages": attr.label_list(
            doc = "The packages, lowest first.",
            providers = [PackageInfo],
            mandatory = True,
        ),
        "_tool": attr.label(default = "//tools/containers:join_layers"),
    } | LAYER_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo, PackagesInfo],
)
