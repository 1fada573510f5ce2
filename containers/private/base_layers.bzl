"""base_layers: where the layers of an image's base are, if it is a pulled one."""

load("@container_bases//:bases.bzl", "BASES")

_REPOSITORY = "@container_bases//:"

def base_layers(label, base):
    """The target that has the layers of a pulled base.

    Args:
      label: the image's, for messages.
      base: the attribute `base` of container_image, or None.

    Returns:
      A label as a string, or None for another base. Fails with what there is if the lock has no such base.
    """
    if not base or not str(base).startswith(_REPOSITORY):
        return None
    name = base.removeprefix(_REPOSITORY)
    if name not in BASES:
        fail("{}: containers/bases.lock.json has no base '{}'; it has: {}. To add it: ./bazelw run //containers:update_bases -- {} NAMESPACE/IMAGE:TAG".format(
            label,
            name,
            ", ".join(BASES) or "none",
            name,
        ))
    return base + ".layers"
