"""container_verb: a `bazel run` target that loads, saves or pushes images, or cleans up."""

load("//tests/private:tool_program.bzl", "TOOL_PROGRAM_ATTRS", "tool_program")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN")
load(":providers.bzl", "ContainerImageInfo")

_VERBS = ["clean", "commit", "dev", "load", "push", "push_image", "save", "save_all", "update_bases"]
_OF_ONE = {"commit": "", "dev": "", "save": "; use save_all"}

def _container_verb_impl(ctx):
    if ctx.attr.verb not in _VERBS:
        fail("{}: there is no verb '{}'; there are: {}".format(ctx.label, ctx.attr.verb, ", ".join(_VERBS)))
    images = [target[ContainerImageInfo] for target in ctx.attr.images]
    if ctx.attr.verb in _OF_ONE and len(images) != 1:
        fail("{}: {} takes one image, and {} are given{}".format(ctx.label, ctx.attr.verb, len(images), _OF_ONE[ctx.attr.verb]))
    settings = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.write(settings, json.encode({
        "images": [
            {
                "config": image.config.short_path,
                "layers": [layer.blob.short_path for layer in image.layers],
                "manifest": image.manifest.short_path,
                "name": image.name,
                "sources": [
                    {
                        "file": source.file.short_path,
                        "mode": source.mode,
                        "mountable": source.mountable,
                        "place": source.place,
                    }
                    for source in image.sources
                ],
                "version": image.version,
            }
            for image in images
        ],
        "verb": ctx.attr.verb,
    }))
    runfiles = ctx.runfiles(files = [
        file
        for image in images
        for file in [image.manifest, image.config] + [layer.blob for layer in image.layers]
    ])
    return [tool_program(ctx, ctx.attr._tool, settings, runfiles)]

container_verb = rule(
    implementation = _container_verb_impl,
    doc = "`bazel run` does to images what `verb` says (docs/containers-registry.md, docs/hacking-containers.md); it builds what is missing first.",
    attrs = {
        "images": attr.label_list(
            doc = "The images; `clean`, `push_image` and `update_bases` have none.",
            providers = [ContainerImageInfo],
        ),
        "verb": attr.string(
            doc = "clean, commit, dev, load, push, push_image, save, save_all or update_bases.",
            mandatory = True,
        ),
        "_tool": attr.label(default = "//tools/containers:verbs"),
    } | TOOL_PROGRAM_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    executable = True,
)
