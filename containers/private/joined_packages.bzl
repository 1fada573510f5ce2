"""joined_packages: several locked Debian packages as one layer."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN")
load(":debian_package.bzl", "PACKAGE_LAYER_ATTRS", "packages_layer")
load(":providers.bzl", "LayersInfo", "PackageInfo", "PackagesInfo")

def _joined_packages_impl(ctx):
    return packages_layer(ctx, ctx.label.name, [target[PackageInfo] for target in ctx.attr.packages])

joined_packages = rule(
    implementation = _joined_packages_impl,
    doc = "Several locked Debian packages as one layer. `container_packages` declares them.",
    attrs = PACKAGE_LAYER_ATTRS | {
        "packages": attr.label_list(
            doc = "The packages.",
            providers = [PackageInfo],
            mandatory = True,
        ),
    },
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo, PackagesInfo],
)
