"""bazel_rules: a Bazel rule set out of a locked Debian package.

Bazel's own defaults would be downloaded from the rule sets' projects. The packages under
the locked Bazel hold the same sources, pinned like everything else here, and are the same
ones whether Bazel came from the locked root or from the machine.
"""

load(":fetch.bzl", "fetch_packages", "read_lock")

def _bazel_rules_impl(rctx):
    lock = read_lock(rctx, rctx.attr.lock)
    packages = [package for package in lock["packages"] if package["name"] == rctx.attr.package]
    if not packages:
        fail("{}: has no package {}; add it to the root's YAML and run: ./bazelw run //roots:update -- {}".format(
            rctx.attr.lock,
            rctx.attr.package,
            lock["name"],
        ))
    file = fetch_packages(rctx, packages, ".package", "./bazelw run //roots:update -- " + lock["name"]).values()[0]
    rctx.extract(file, output = ".deb")
    for data in [".deb/data.tar.xz", ".deb/data.tar.zst", ".deb/data.tar.gz"]:
        if rctx.path(data).exists:
            rctx.extract(data, stripPrefix = rctx.attr.strip_prefix)
    rctx.delete(".deb")
    rctx.delete(".package")

bazel_rules = repository_rule(
    implementation = _bazel_rules_impl,
    doc = "A rule set from a package of a lock, in place of the one that Bazel would download.",
    attrs = {
        "lock": attr.label(
            doc = "The lock file that pins the package.",
            mandatory = True,
        ),
        "package": attr.string(
            doc = "The package's name.",
            mandatory = True,
        ),
        "strip_prefix": attr.string(
            doc = "The rule set's folder inside the package, for example ./usr/share/bazel/rules/python.",
            mandatory = True,
        ),
    },
    environ = ["DEBIAN_MIRRORS"],
)
