"""pulled_layer: one layer of a pulled image, as a repository that is fetched when something reads the layer."""

# Not attributes: Bazel would look at these files for every layer. The Python is the tool runtime's.
_FETCH = Label("//tools/containers:bases.py")
_PYTHON = Label("@tool_runtime//:bin/python3")

def _pulled_layer_impl(rctx):
    digest = rctx.attr.digest
    file = "layer.blob"
    python = rctx.path(_PYTHON)
    workspace = rctx.path(_FETCH).dirname.dirname.dirname
    done = rctx.execute(
        [python, "-sSB", "-m", "tools.containers.bases", rctx.attr.repository, digest, file],
        environment = {"PYTHONPATH": str(workspace)},
        timeout = 3600,
    )
    if done.return_code:
        said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        fail("layer of {}: {}".format(rctx.attr.repository, said[-1].removeprefix("error: ") if said else done.stderr))
    rctx.file("BUILD.bazel", 'filegroup(\n    name = "layer",\n    srcs = ["{}"],\n    visibility = ["//visibility:public"],\n)\n'.format(file), executable = False)

pulled_layer = repository_rule(
    implementation = _pulled_layer_impl,
    doc = """One layer, fetched by digest from the registry of REGISTRY_URL as //containers:update_bases does.

Who asks (REGISTRY_USERNAME, REGISTRY_PASSWORD, docker's configuration) is known to the tool alone, and no part of any key.""",
    attrs = {
        "digest": attr.string(
            doc = "sha256:HEX of the layer's bytes.",
            mandatory = True,
        ),
        "repository": attr.string(
            doc = "The image's name in the registry.",
            mandatory = True,
        ),
    },
)
