"""image_initramfs: an initramfs that has the tree of a container image in a folder."""

load("//containers:defs.bzl", "ContainerImageInfo")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "RUNTIME_ATTRS", "run_python_tool", "runtime_folder")
load(":providers.bzl", "InitramfsInfo")

def _image_initramfs_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".cpio")
    base = ctx.attr.base[InitramfsInfo].archive
    layers = [layer.blob for layer in ctx.attr.image[ContainerImageInfo].layers]
    args = ctx.actions.args()
    args.add("--base", base)
    args.add("--place", ctx.attr.place.lstrip("/"))
    args.add_all(ctx.attr.without, before_each = "--without")
    args.add("--zstd", runtime_folder(ctx) + "/bin/zstd")
    args.add("--output", output)
    args.add_all(layers)
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset([base] + layers),
        outputs = [output],
        tools = depset(ctx.files._zstd),
        mnemonic = "ImageInitramfs",
        progress_message = "Making initramfs %{label}",
    )
    return [
        DefaultInfo(files = depset([output])),
        InitramfsInfo(archive = output),
    ]

image_initramfs = rule(
    implementation = _image_initramfs_impl,
    doc = "An initramfs with the tree of a container image, so that a VM test runs the image's programs by chroot.",
    attrs = {
        "base": attr.label(
            doc = "The initramfs that the tree is added to.",
            default = "//tests:guest",
            providers = [InitramfsInfo],
        ),
        "image": attr.label(
            doc = "The container_image.",
            mandatory = True,
            providers = [ContainerImageInfo],
        ),
        "place": attr.string(
            doc = "The folder of the tree in the guest.",
            default = "/image",
        ),
        "without": attr.string_list(
            doc = "Folders of the image to leave out, to save the guest's memory, such as usr/share.",
        ),
        "_tool": attr.label(default = "//tools/initramfs:image_tree"),
        "_zstd": attr.label(default = "@tool_runtime//:zstd"),
    } | RUNTIME_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [InitramfsInfo],
)
