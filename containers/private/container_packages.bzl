"""container_packages: the packages of locks as targets, one for each package whatever lock or extra wants it."""

load("//roots:repositories.bzl", "read_lock", "root_repository")

_BUILD = """load("@{workspace}//containers/private:debian_package.bzl", "debian_package")

package(default_visibility = ["//visibility:public"])
"""

_PACKAGE = """
debian_package(
    name = {name},
    component = {component},
    deb = {deb},
)
"""

def _container_packages_impl(rctx):
    sets = {}
    known = {}
    build = [_BUILD.format(workspace = rctx.attr.locks[0].workspace_name)]
    for label in rctx.attr.locks:
        lock = read_lock(rctx, label)
        sets[lock["name"]] = {}
        for package in lock["packages"]:
            extra = package.get("layer", "")
            target = known.get(package["sha256"])
            if not target:
                # The name alone, unless two locks or extras have two versions; a colon is not for a target.
                version = package["version"].replace(":", "_")
                target = package["name"] if package["name"] not in known.values() else "{}_{}".format(package["name"], version)
                known[package["sha256"]] = target
                build.append(_PACKAGE.format(
                    name = json.encode(target),
                    component = json.encode(json.encode({
                        "arch": package["arch"],
                        "lock": "{}/{}".format(label.package, label.name),
                        "name": package["name"],
                        "sha256": package["sha256"],
                        "type": "deb",
                        "version": package["version"],
                    })),
                    deb = json.encode("@{}//:packages/{}.deb".format(
                        root_repository(lock["name"], extra),
                        package["name"].replace("+", "x"),
                    )),
                ))
            sets[lock["name"]].setdefault(extra, []).append("@{}//:{}".format(rctx.name, target))
    rctx.file("BUILD.bazel", "".join(build), executable = False)
    rctx.file("sets.bzl", "\"\"\"The packages of each lock by extra; those of all its images under the empty name.\"\"\"\n\nSETS = {}\n".format(
        json.encode_indent(sets, indent = "    "),
    ), executable = False)

container_packages = repository_rule(
    implementation = _container_packages_impl,
    doc = """The packages of locks as layers; `sets.bzl` says which each lock has, and each extra.

A package is fetched when the layer of it is first built.""",
    attrs = {
        "locks": attr.label_list(
            doc = "The lock files.",
            mandatory = True,
        ),
    },
)
