"""debian_package: one locked Debian package as a layer, compressed once for all images that hold it."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool")
load(":layer_files.bzl", "LAYER_ATTRS", "declare_layer", "layer_arguments", "layer_outputs")
load(":providers.bzl", "LayersInfo", "PackageInfo", "PackagesInfo")

PACKAGE_LAYER_ATTRS = {
    "_tool": attr.label(default = "//tools/containers:package_layer"),
} | LAYER_ATTRS

def packages_layer(ctx, name, packages):
    """Declare the action that makes a layer of packages, and what its rule returns.

    Args:
      ctx: the context of a rule that has PACKAGE_LAYER_ATTRS.
      name: what messages and reports call the layer.
      packages: a list of PackageInfo.

    Returns:
      A list of providers.
    """
    layer = declare_layer(ctx, ctx.label.name, name)
    args = layer_arguments(ctx, layer)
    for package in packages:
        args.add(package.deb, format = package.name + "=%s")
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset([package.deb for package in packages]),
        outputs = layer_outputs(layer),
        tools = depset(ctx.files._programs + ctx.files._zstd),
        mnemonic = "PackageLayer",
        progress_message = "Making the layer of " + name,
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

def _debian_package_impl(ctx):
    package = PackageInfo(
        name = json.decode(ctx.attr.component)["name"],
        component = ctx.attr.component,
        deb = ctx.file.deb,
    )
    return [package] + packages_layer(ctx, package.name, [package])

debian_package = rule(
    implementation = _debian_package_impl,
    doc = "One locked Debian package as a layer. `container_packages` declares them.",
    attrs = PACKAGE_LAYER_ATTRS | {
        "component": attr.string(
            doc = "The package's entry of LayersInfo.components.",
            mandatory = True,
        ),
        "deb": attr.label(
            doc = "The package.",
            mandatory = True,
            allow_single_file = [".deb"],
        ),
    },
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo, PackageInfo, PackagesInfo],
)
