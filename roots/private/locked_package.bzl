"""locked_package: one package of a lock file, as a repository that is fetched when first needed."""

load(":fetch.bzl", "fetch_packages")

def _locked_package_impl(rctx):
    package = json.decode(rctx.attr.package)
    files = fetch_packages(rctx, [package], "package", rctx.attr.refresh)
    rctx.file("BUILD.bazel", 'filegroup(\n    name = "package",\n    srcs = ["{}"],\n    visibility = ["//visibility:public"],\n)\n'.format(
        files[package["name"]],
    ), executable = False)

locked_package = repository_rule(
    implementation = _locked_package_impl,
    doc = "One locked package; `:package` is its file.",
    attrs = {
        "package": attr.string(
            doc = "The package's entry of the lock file, as JSON.",
            mandatory = True,
        ),
        "refresh": attr.string(
            doc = "The command that refreshes the lock, named when the package can't be had.",
            mandatory = True,
        ),
    },
    environ = ["DEBIAN_MIRRORS"],
)
