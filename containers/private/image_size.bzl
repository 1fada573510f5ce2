"""image_size: how large an image is, by layer."""

load("//tests/private:tool_program.bzl", "TOOL_PROGRAM_ATTRS", "tool_program")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN")
load(":providers.bzl", "ContainerImageInfo")

def _image_size_impl(ctx):
    report = ctx.attr.image[OutputGroupInfo].sizes.to_list()[0]
    return [tool_program(ctx, ctx.attr._tool, report, ctx.runfiles())]

image_size = rule(
    implementation = _image_size_impl,
    doc = "`bazel run` prints an image's layers by size; with the NAME.sizes.json of another build, what differs.",
    attrs = {
        "image": attr.label(
            doc = "The image.",
            mandatory = True,
            providers = [ContainerImageInfo],
        ),
        "_tool": attr.label(default = "//tools/containers:sizes"),
    } | TOOL_PROGRAM_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    executable = True,
)
