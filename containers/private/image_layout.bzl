"""image_layout: what is made of a whole image, its blobs included."""

load("//tools/python:defs.bzl", "run_python_tool")

LAYOUT_ATTRS = {
    "_layout": attr.label(default = "//tools/containers:layout"),
}

def _layout(ctx, image, option, output):
    """Declare an action that lays the image out; it is run when someone asks for its output."""
    args = ctx.actions.args()
    args.add("--manifest", image.manifest)
    args.add("--descriptor", image.descriptor)
    args.add("--config", image.config)
    args.add("--tag", "{}:{}".format(image.name, image.version))
    args.add_all(option, [output], expand_directories = False)
    blobs = [layer.blob for layer in image.layers]
    args.add_all(blobs)
    run_python_tool(
        ctx,
        ctx.attr._layout,
        [args],
        inputs = depset([image.manifest, image.descriptor, image.config] + blobs),
        outputs = [output],
        mnemonic = "ImageLayout",
        progress_message = "Laying out %{output}",
    )
    return output

def image_layouts(ctx, image, name):
    """Declare an image's archive and layout.

    Args:
      ctx: the context of a rule that has LAYOUT_ATTRS.
      image: a ContainerImageInfo whose layers all have blobs.
      name: what the files are called, without a suffix.

    Returns:
      A dict from output group to depset.
    """
    return {
        "archive": depset([_layout(ctx, image, "--tar", ctx.actions.declare_file(name + ".tar"))]),
        "layout": depset([_layout(ctx, image, "--folder", ctx.actions.declare_directory(name + ".oci"))]),
    }
