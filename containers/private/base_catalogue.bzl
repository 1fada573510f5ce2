"""base_catalogue: the lock of pulled images, as targets, and as Starlark that WORKSPACE and macros load."""

_BUILD = """load("@{workspace}//containers/private:pulled_image.bzl", "pulled_image")

package(default_visibility = ["//visibility:public"])
"""

_BASE = """
pulled_image(
    name = {name},
    entry = {entry},
)

filegroup(
    name = {layers_name},
    srcs = {layers},
)
"""

def _base_catalogue_impl(rctx):
    lock = json.decode(rctx.read(rctx.attr.lock), default = None)
    if type(lock) != "dict" or lock.get("schema") != 1:
        fail("{}: not a lock of bases with schema 1; restore it from git".format(rctx.attr.lock))
    repositories = {}
    build = [_BUILD.format(workspace = rctx.attr.lock.workspace_name)]
    for name, base in lock["bases"].items():
        files = []
        for layer in base["layers"]:
            repository = "base_layer_" + layer["digest"].removeprefix("sha256:")[:16]
            repositories[repository] = {"digest": layer["digest"], "repository": base["repository"]}
            files.append("@{}//:layer".format(repository))
        build.append(_BASE.format(
            entry = repr(json.encode(base)),
            layers = repr(files),
            layers_name = repr(name + ".layers"),
            name = repr(name),
        ))
    rctx.file("BUILD.bazel", "".join(build), executable = False)
    rctx.file("bases.bzl", '"""Made from containers/bases.lock.json."""\n\nBASES = {}\n\nLAYERS = {}\n'.format(
        repr(sorted(lock["bases"])),
        repr(repositories),
    ), executable = False)

base_catalogue = repository_rule(
    implementation = _base_catalogue_impl,
    doc = """From the lock: for each base a target NAME, for `base` of container_image, and NAME.layers, its layers;
BASES, the names, and LAYERS, the attributes of pulled_layer by the name of the repository.""",
    attrs = {
        "lock": attr.label(
            doc = "The lock file.",
            mandatory = True,
        ),
    },
)
