"""container_packages: a lock's packages as targets, one for each package whatever extras want it."""

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
    lock = read_lock(rctx, rctx.attr.lock)
    build = [_BUILD.format(workspace = rctx.attr.lock.workspace_name)]
    sets = {}
    known = {}
    for package in lock["packages"]:
        extra = package.get("layer", "")
        target = known.get(package["sha256"])
        if not target:
            # The name alone, unless two extras have two versions.
            target = package["name"] if package["name"] not in known.values() else "{}_{}".format(package["name"], package["version"])
            known[package["sha256"]] = target
            build.append(_PACKAGE.format(
                name = json.encode(target),
                component = json.encode(json.encode({
                    "arch": package["arch"],
                    "lock": "{}/{}".format(rctx.attr.lock.package, rctx.attr.lock.name),
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
        sets.setdefault(extra, []).append("@{}//:{}".format(rctx.name, target))
    rctx.file("BUILD.bazel", "".join(build), executable = False)
    rctx.file("sets.bzl", "\"\"\"The packages of a lock by extra; those of every image under the empty name.\"\"\"\n\nSETS = {}\n".format(
        json.encode_indent(sets, indent = "    "),
    ), executable = False)

container_packages = repository_rule(
    implementation = _container_packages_impl,
    doc = """The packages of a lock as layers; `sets.bzl` says which each extra has.

A package is fetched when the layer of it is first built.""",
    attrs = {
        "lock": attr.label(
            doc = "The lock file.",
            mandatory = True,
        ),
    },
)
