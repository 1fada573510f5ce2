"""One external repository for each package of the kernel catalogue."""

load("@kernel_catalogue//:catalogue.bzl", "IMAGE_INDEXES", "PACKAGES")
load("//roots:defs.bzl", "locked_package")

def kernel_packages():
    """Declare the packages; each is fetched when a target needs it."""
    for name, package in PACKAGES.items():
        locked_package(
            name = name,
            # A kernel whose image is gone can be built for, and not tested.
            index = IMAGE_INDEXES.get(name, ""),
            package = package,
            refresh = "./bazelw run //kernels:update",
        )
