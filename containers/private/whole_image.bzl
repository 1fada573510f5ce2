"""whole_image: an image over a pulled base with the base's layers, which this target has fetched."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN")
load(":image_layout.bzl", "LAYOUT_ATTRS", "image_layouts")
load(":providers.bzl", "ContainerImageInfo", "LayerInfo")

def _whole_image_impl(ctx):
    image = ctx.attr.image[ContainerImageInfo]
    blobs = ctx.files.blobs
    layers = [
        LayerInfo(
            name = layer.name,
            blob = blob,
            contents = None,
            metadata = layer.metadata,
        )
        for layer, blob in zip(image.layers, blobs)
    ] + image.layers[len(blobs):]
    whole = ContainerImageInfo(
        name = image.name,
        accounts = image.accounts,
        component_files = image.component_files,
        components = image.components,
        config = image.config,
        descriptor = image.descriptor,
        layers = layers,
        manifest = image.manifest,
        sources = image.sources,
        version = image.version,
    )
    return [
        DefaultInfo(files = depset([image.manifest, image.config] + [layer.blob for layer in layers])),
        OutputGroupInfo(**image_layouts(ctx, whole, ctx.attr.image.label.name)),
        whole,
    ]

whole_image = rule(
    implementation = _whole_image_impl,
    doc = "An image over a pulled base, with all layers.",
    attrs = {
        "blobs": attr.label(
            doc = "The base's layers, lowest first.",
            mandatory = True,
        ),
        "image": attr.label(
            doc = "The image, whose lowest layers lack their blobs.",
            mandatory = True,
            providers = [ContainerImageInfo],
        ),
    } | LAYOUT_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [ContainerImageInfo],
)
