"""debian_packages: the .debs of a lock file, as a repository that is fetched when first needed."""

load(":fetch.bzl", "fetch_packages", "read_lock")

def _debian_packages_impl(rctx):
    lock = read_lock(rctx, rctx.attr.lock)
    packages = [package for package in lock["packages"] if package.get("layer", "") == rctx.attr.extra]
    if not packages:
        fail("{}: the root has no extra '{}'; it has: {}".format(
            rctx.attr.lock,
            rctx.attr.extra,
            ", ".join(sorted({package["layer"]: None for package in lock["packages"] if package.get("layer")})) or "none",
        ))
    files = fetch_packages(rctx, packages, "packages", "./bazelw run //roots:update -- " + lock["name"])
    rctx.file("BUILD.bazel", """filegroup(
    name = "packages",
    srcs = {},
    visibility = ["//visibility:public"],
)

exports_files(glob(["packages/*"]))
""".format(json.encode_indent(sorted(files.values()), prefix = "    ", indent = "    ")), executable = False)

debian_packages = repository_rule(
    implementation = _debian_packages_impl,
    doc = """The packages of one root, or of one extra of it, from the root's lock file.

`:packages` is all the files, `:packages/NAME.deb` one of them; they are fetched by SHA-256 when one of them is first needed.""",
    attrs = {
        "lock": attr.label(
            doc = "The lock file, made by `./bazelw run //roots:update`.",
            mandatory = True,
        ),
        "extra": attr.string(
            doc = "The extra whose packages these are; empty for the root's own.",
        ),
    },
    environ = ["DEBIAN_MIRRORS"],
)
