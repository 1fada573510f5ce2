"""repository_layer: package repositories, as the container package-repo serves them."""

load("//packages:defs.bzl", "PackageRepositoryInfo")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN")
load(":layer_files.bzl", "LAYER_ATTRS", "placed_files_layer")
load(":providers.bzl", "LayersInfo")

_FOLDER = "/srv/repositories"

def _repository_layer_impl(ctx):
    if not ctx.attr.repositories:
        fail("{}: `repositories` is empty; name targets of package_repository".format(ctx.label))
    places = {}
    labels = {}
    for target in ctx.attr.repositories:
        info = target[PackageRepositoryInfo]
        folder = "{}/{}/{}".format(_FOLDER, info.release, info.distribution)
        if folder in labels:
            fail("{}: repositories: {} and {} are both release {} for {}; keep one, with the packages of both".format(
                ctx.label,
                labels[folder],
                target.label,
                info.release,
                info.distribution,
            ))
        labels[folder] = target.label
        places |= {"{}/{}".format(folder, path): file for path, file in info.files.items()}
    return placed_files_layer(ctx, places, "RepositoryLayer")

repository_layer = rule(
    implementation = _repository_layer_impl,
    doc = "Package repositories at /srv/repositories/RELEASE/DISTRIBUTION, for an image on top of //containers/package-repo.",
    attrs = {
        "repositories": attr.label_list(
            doc = "The package_repository targets.",
            providers = [PackageRepositoryInfo],
        ),
        "_tool": attr.label(default = "//tools/containers:files_layer"),
    } | LAYER_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo],
)
