"""package_layer: locked Debian packages, configured by dpkg."""

load("@container_packages//:sets.bzl", "SETS")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN")
load(":configured_packages.bzl", "CONFIGURE_ATTRS", "configure_packages")
load(":layer_files.bzl", "layer_label")
load(":providers.bzl", "LayersInfo")

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
    return configure_packages(ctx, layer_label(ctx), ctx.attr.base[LayersInfo], ctx.attr.users)

_package_layer = rule(
    implementation = _package_layer_impl,
    doc = "Locked Debian packages over those that every image has, and a layer for what configuring them changes.",
    attrs = CONFIGURE_ATTRS | {
        "base": attr.label(
            doc = "What every image has, configured.",
            providers = [LayersInfo],
        ),
        "extras": attr.string_list(
            doc = "Extras of the lock.",
        ),
        "lock": attr.string(
            doc = "The lock, roots/LOCK.lock.json.",
            mandatory = True,
        ),
        "users": attr.string_dict(
            doc = "Users to add.",
        ),
    },
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo],
)

def package_layer(name, extras = [], lock = "containers", **kwargs):
    """Locked Debian packages: those that every image has, and those of extras, of roots/containers.yaml.

    Each package is compressed once for all images that have it. Those that every image has are one layer, and another for
    what configuring them changes; of an extra's, each is a layer, unless there are many (docs/containers.md). The last layer
    is what configuring those changes: what maintainer scripts do (users, alternatives, caches), done by dpkg itself, and
    dpkg's state, which `dpkg -l` and scanners read. Documentation is left out, but for copyright files.

    Args:
      name: the target's name.
      extras: names of extras in roots/containers.yaml.
      lock: another lock of the same form: containers-forky, for what Debian's stable release doesn't have.
      **kwargs: `users`, those that no package makes, as NAME to number, each with a group of its own and the home
        /home/NAME; and what every rule takes.
    """
    sets = SETS.get(lock, {})
    packages = []
    for extra in extras:
        packages += [package for package in sets.get(extra, []) if package not in packages]
    _package_layer(
        name = name,
        base = sets[""][0] if sets else None,
        extras = extras,
        lock = lock,
        packages = packages,
        **kwargs
    )
