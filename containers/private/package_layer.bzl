"""package_layer: locked Debian packages, configured by dpkg."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("@container_packages//:sets.bzl", "SETS")
load("//roots:defs.bzl", "ROOT_ATTRS", "ROOT_TOOLCHAINS", "root_layers", "run_in_root")
load(":layer_files.bzl", "LAYER_ATTRS", "declare_layer", "layer_label", "layer_outputs")
load(":providers.bzl", "LayersInfo", "PackageInfo")

# Where the packages and their layers lie in the root that configures them.
_PACKAGES = "/forge/packages"

def _configured(ctx, packages):
    """Declare the action that configures the packages; returns its layer and the file of its accounts."""
    layer = declare_layer(ctx, ctx.label.name, layer_label(ctx))
    accounts = ctx.actions.declare_file(ctx.label.name + ".accounts.json")
    listing = ctx.actions.declare_file(ctx.label.name + ".packages.json")
    inputs = {listing: _PACKAGES + ".json"}
    entries = []
    for number, package in enumerate(packages):
        # Numbered, because an architecture's name or a version may differ where the names don't.
        stem = "{}/{}".format(_PACKAGES, number)
        entry = {
            "blob": stem + "." + package.layer.blob.extension,
            "contents": stem + ".json",
            "deb": stem + ".deb",
        }
        inputs |= {
            package.deb: entry["deb"],
            package.layer.blob: entry["blob"],
            package.layer.contents: entry["contents"],
        }
        entries.append(entry)
    ctx.actions.write(listing, json.encode_indent(entries))
    outputs = dict(zip(["blob", "metadata", "contents", "accounts"], layer_outputs(layer) + [accounts]))
    words = ["--name", layer.name, "--compression", ctx.attr._compression[BuildSettingInfo].value]
    words += ["--runtime", "/forge/runtime", "--packages", inputs[listing]]
    for name in outputs:
        words += ["--" + name, "/out/" + name]
    run_in_root(
        ctx,
        layers = [(archive, "/") for archive in root_layers(ctx.attr._root)],
        command = words,
        inputs = inputs,
        outputs = outputs,
        tool = ctx.attr._tool,
        mnemonic = "ConfiguredPackages",
        progress_message = "Configuring the packages of %{label}",
    )
    return layer, accounts

def _package_layer_impl(ctx):
    for extra in ctx.attr.extras:
        if not SETS.get(extra):
            fail("{}: roots/containers.yaml has no extra '{}'; it has: {}. Add it there, then run: ./bazelw run //roots:update -- containers".format(
                ctx.label,
                extra,
                ", ".join(sorted([each for each in SETS if each])) or "none",
            ))
    packages = [target[PackageInfo] for target in ctx.attr.packages]
    layer, accounts = _configured(ctx, packages)
    layers = [package.layer for package in packages] + [layer]
    return [
        DefaultInfo(files = depset([file for each in layers for file in layer_outputs(each)] + [accounts])),
        LayersInfo(
            accounts = accounts,
            components = depset([package.component for package in packages]),
            layers = layers,
        ),
    ]

_package_layer = rule(
    implementation = _package_layer_impl,
    doc = "Locked Debian packages: a layer for each, and one for what configuring them changes.",
    attrs = {
        "extras": attr.string_list(
            doc = "Extras of roots/containers.yaml.",
        ),
        "packages": attr.label_list(
            doc = "The packages, lowest layer first.",
            providers = [PackageInfo],
            mandatory = True,
        ),
        "_root": attr.label(default = "//roots:container-build"),
        "_tool": attr.label(default = "//tools/containers:configure"),
    } | LAYER_ATTRS | ROOT_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
    provides = [LayersInfo],
)

def package_layer(name, extras = [], **kwargs):
    """Locked Debian packages: those that every image has, and those of extras, of roots/containers.yaml.

    Each package is a layer, compressed once for all images that have it. The last layer is what configuring them changes: what
    maintainer scripts do (users, alternatives, caches), done by dpkg itself, and dpkg's state, which `dpkg -l` and
    scanners read. Documentation is left out, but for copyright files.

    Args:
      name: the target's name.
      extras: names of extras in roots/containers.yaml.
      **kwargs: what every rule takes.
    """
    packages = list(SETS[""])
    for extra in extras:
        packages += [package for package in SETS.get(extra, []) if package not in packages]
    _package_layer(
        name = name,
        extras = extras,
        packages = packages,
        **kwargs
    )
