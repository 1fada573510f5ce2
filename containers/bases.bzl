"""One external repository for each layer of the pulled images."""

load("@container_bases//:bases.bzl", "LAYERS")
load("//containers/private:pulled_layer.bzl", "pulled_layer")

def container_bases():
    """Declare the layers; each is fetched when something reads it."""
    for name, layer in LAYERS.items():
        pulled_layer(
            name = name,
            **layer
        )
