"""pulled_image: an image of a registry, locked by digest, as a base: what its lock says, without its layers."""

load(":providers.bzl", "LayerInfo", "PulledImageInfo")

def _pulled_image_impl(ctx):
    base = json.decode(ctx.attr.entry)
    config = ctx.actions.declare_file(ctx.label.name + ".config.json")
    ctx.actions.write(config, json.encode_indent({"config": base["config"]}))
    layers = []
    for number, entry in enumerate(base["layers"]):
        name = "{}, layer {}".format(ctx.label.name, number + 1)
        metadata = ctx.actions.declare_file("{}.{}.layer.json".format(ctx.label.name, number + 1))
        ctx.actions.write(metadata, json.encode_indent(entry | {"name": name, "uncompressed": 0}))
        layers.append(LayerInfo(
            name = name,
            blob = None,
            contents = None,
            metadata = metadata,
        ))
    return [
        DefaultInfo(files = depset([config] + [layer.metadata for layer in layers])),
        PulledImageInfo(
            accounts = None,
            component_files = depset(),
            components = depset([json.encode({
                "arch": "amd64",
                "lock": "containers/bases.lock.json",
                "name": base["repository"].split("/")[-1],
                "sha256": base["digest"].removeprefix("sha256:"),
                "type": "oci",
                "version": base["digest"],
            })]),
            config = config,
            layers = layers,
            sources = [],
        ),
    ]

pulled_image = rule(
    implementation = _pulled_image_impl,
    doc = "An image of containers/bases.lock.json; base_catalogue makes one for each.",
    attrs = {
        "entry": attr.string(
            doc = "Its entry of the lock, as JSON.",
            mandatory = True,
        ),
    },
    provides = [PulledImageInfo],
)
