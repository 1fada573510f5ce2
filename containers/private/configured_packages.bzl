"""configured_packages: the packages that every image has, configured once for all of them."""

load("//roots:defs.bzl", "RootInfo")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool")
load(":layer_files.bzl", "LAYER_ATTRS", "declare_layer", "layer_arguments", "layer_outputs")
load(":providers.bzl", "LayersInfo", "PackagesInfo")

CONFIGURE_ATTRS = {
    "packages": attr.label_list(
        doc = "The packages' layers, lowest first.",
        providers = [PackagesInfo],
    ),
    "_root": attr.label(
        default = "//roots:container-build",
        providers = [RootInfo],
    ),
    "_tool": attr.label(default = "//tools/containers:configure"),
} | LAYER_ATTRS

def configure_packages(ctx, name, base = None, users = {}):
    """Declare the action that configures packages, and what its rule returns.

    Args:
      ctx: the context of a rule that has CONFIGURE_ATTRS.
      name: what messages call the layer of what configuring changes.
      base: the LayersInfo of packages that are configured already, below these; or None.
      users: users to add, from name to number.

    Returns:
      A list of providers.
    """
    joined = [target[PackagesInfo] for target in ctx.attr.packages]
    packages = [package for each in joined for package in each.packages]
    own = [each.layer for each in joined]
    below = base.layers if base else []
    layer = declare_layer(ctx, ctx.label.name, name)
    accounts = ctx.actions.declare_file(ctx.label.name + ".accounts.json")
    listing = ctx.actions.declare_file(ctx.label.name + ".packages.json")
    ctx.actions.write(listing, json.encode_indent({
        "base": [{"blob": each.blob.path, "contents": each.contents.path} for each in below],
        "debs": [package.deb.path for package in packages],
        "layers": [{"blob": each.blob.path, "contents": each.contents.path} for each in own],
    }))
    root = ctx.attr._root[RootInfo].archive
    args = layer_arguments(ctx, layer)
    args.add("--accounts", accounts)
    args.add("--packages", listing)
    args.add("--root", root)
    args.add_all(["{}:{}".format(user, number) for user, number in users.items()], before_each = "--user")
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset(
            [listing, root] + [package.deb for package in packages] +
            [each.contents for each in below + own] +
            # What dpkg starts with: the base, or else the packages' own files.
            [each.blob for each in below or own],
        ),
        outputs = layer_outputs(layer) + [accounts],
        tools = depset(ctx.files._programs + ctx.files._zstd),
        resource_set = _resources,
        mnemonic = "ConfiguredPackages",
        progress_message = "Configuring the packages of %{label}",
    )
    layers = below + own + [layer]
    return [
        DefaultInfo(files = depset([file for each in layers for file in layer_outputs(each)] + [accounts])),
        LayersInfo(
            accounts = accounts,
            component_files = depset(),
            components = depset(
                [package.component for package in packages],
                transitive = [base.components] if base else [],
            ),
            layers = layers,
            sources = [],
        ),
    ]

def _resources(_os, _inputs):
    """The tree is unpacked in memory."""
    return {"cpu": 1, "memory": 600}

def _configured_packages_impl(ctx):
    return configure_packages(ctx, ctx.label.name)

configured_packages = rule(
    implementation = _configured_packages_impl,
    doc = "Locked Debian packages, and a layer for what configuring them changes. `container_packages` declares one for each lock.",
    attrs = CONFIGURE_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo],
)
