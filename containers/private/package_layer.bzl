"""package_layer: locked Debian packages, configured by dpkg."""

load("@container_packages//:sets.bzl", "SETS")
load("//roots:defs.bzl", "RootInfo")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool")
load(":layer_files.bzl", "LAYER_ATTRS", "declare_layer", "layer_arguments", "layer_label", "layer_outputs")
load(":providers.bzl", "LayersInfo", "PackagesInfo")

def _configured(ctx, packages):
    """Declare the action that configures the packages; returns its layer and the file of its accounts."""
    layer = declare_layer(ctx, ctx.label.name, layer_label(ctx))
    accounts = ctx.actions.declare_file(ctx.label.name + ".accounts.json")
    listing = ctx.actions.declare_file(ctx.label.name + ".packages.json")
    ctx.actions.write(listing, json.encode_indent([
        {
            "blob": package.layer.blob.path,
            "contents": package.layer.contents.path,
            "deb": package.deb.path,
        }
        for package in packages
    ]))
    root = ctx.attr._root[RootInfo].archive
    args = layer_arguments(ctx, layer)
    args.add("--accounts", accounts)
    args.add("--packages", listing)
    args.add("--root", root)
    args.add_all(["{}:{}".format(user, number) for user, number in ctx.attr.users.items()], before_each = "--user")
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset([listing, root] + [
            file
            for package in packages
            for file in [package.deb, package.layer.blob, package.layer.contents]
        ]),
        outputs = layer_outputs(layer) + [accounts],
        tools = depset(ctx.files._programs + ctx.files._zstd),
        resource_set = _resources,
        mnemonic = "ConfiguredPackages",
        progress_message = "Configuring the packages of %{label}",
    )
    return layer, accounts

def _resources(_os, _inputs):
    """The tree is unpacked in memory."""
    return {"cpu": 1, "memory": 600}

def _package_layer_impl(ctx):
    lock = ctx.attr.lock
    if lock not in SETS:
        fail("{}: lock: there is no '{}' for containers; choose one of: {}".format(ctx.label, lock, ", ".join(SETS)))
    for extra in ctx.attr.extras:
        if not SETS[lock].get(extra):
            fail("{0}: roots/{1}.yaml has no extra '{2}'; it has: {3}. Add it there, then run: ./bazelw run //roots:update -- {1}".format(
                ctx.label,
                lock,
                extra,
                ", ".join(sorted([each for each in SETS[lock] if each])) or "none",
            ))
    joined = [target[PackagesInfo] for target in ctx.attr.packages]
    packages = [package for each in joined for package in each.packages]
    layer, accounts = _configured(ctx, packages)
    layers = [each.layer for each in joined] + [layer]
    return [
        DefaultInfo(files = depset([file for each in layers for file in layer_outputs(each)] + [accounts])),
        LayersInfo(
            accounts = accounts,
            component_files = depset(),
            components = depset([package.component for package in packages]),
            layers = layers,
            sources = [],
        ),
    ]

_package_layer = rule(
    implementation = _package_layer_impl,
    doc = "Locked Debian packages, and a layer for what configuring them changes.",
    attrs = {
        "extras": attr.string_list(
            doc = "Extras of the lock.",
        ),
        "lock": attr.string(
            doc = "The lock, roots/LOCK.lock.json.",
            mandatory = True,
        ),
        "packages": attr.label_list(
            doc = "The packages' layers, lowest first.",
            providers = [PackagesInfo],
            mandatory = True,
        ),
        "users": attr.string_dict(
            doc = "Users to add.",
        ),
        "_root": attr.label(
            default = "//roots:container-build",
            providers = [RootInfo],
        ),
        "_tool": attr.label(default = "//tools/containers:configure"),
    } | LAYER_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo],
)

def package_layer(name, extras = [], lock = "containers", **kwargs):
    """Locked Debian packages: those that every image has, and those of extras, of roots/containers.yaml.

    Each package is compressed once for all images that have it. Those that every image has are one layer; of an extra's,
    each is a layer, unless there are many (docs/containers.md). The last layer is what configuring them changes: what
    maintainer scripts do (users, alternatives, caches), done by dpkg itself, and dpkg's state, which `dpkg -l` and
    scanners read. Documentation is left out, but for copyright files.

    Args:
      name: the target's name.
      extras: names of extras in roots/containers.yaml.
      lock: another lock of the same form: containers-forky, for what Debian's stable release doesn't have.
      **kwargs: `users`, those that no package makes, as NAME to number, each with a group of its own and the home
        /home/NAME; and what every rule takes.
    """
    sets = SETS.get(lock, {})
    packages = list(sets.get("", []))
    for extra in extras:
        packages += [package for package in sets.get(extra, []) if package not in packages]
    _package_layer(
        name = name,
        extras = extras,
        lock = lock,
        packages = packages,
        **kwargs
    )
