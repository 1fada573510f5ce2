"""Kernels of the catalogue by their release."""

load("@kernel_catalogue//:catalogue.bzl", "KERNELS")

_NEAR = 5

def _common_length(left, right):
    """How many characters two strings have in common at their beginnings."""
    for index in range(min(len(left), len(right))):
        if left[index] != right[index]:
            return index
    return min(len(left), len(right))

def find_kernel(release):
    """A kernel of the catalogue.

    Args:
      release: its release.

    Returns:
      Its entry in kernels/catalogue.json, as a dict, with labels for packages; None if there is none.
    """
    for kernel in KERNELS:
        if kernel["release"] == release:
            return kernel
    return None

def near_releases(release):
    """What may have been meant by a release that isn't in the catalogue.

    Args:
      release: the unknown release.

    Returns:
      A list of releases of the catalogue, nearest first.
    """
    releases = [kernel["release"] for kernel in KERNELS]
    return sorted(releases, key = lambda known: (-_common_length(release, known), known))[:_NEAR]

def has_image(kernel):
    """Whether a kernel can be booted: the catalogue names packages of an image, and mirrors had them.

    Args:
      kernel: what `find_kernel` returned.

    Returns:
      True or False.
    """
    return bool(kernel["image"]) and not kernel.get("missing_image")
