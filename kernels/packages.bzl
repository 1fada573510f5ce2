"""One external repository for each package of the kernel catalogue."""

load("@kernel_catalogue//:catalogue.bzl", "PACKAGES")
load("//roots:defs.bzl", "locked_package")

def kernel_packages():
    """Declare the packages; each is fetched when a target needs it."""
    for name, package in PACKAGES.items():
        locked_package(
            name = name,
            package = package,
            refresh = "./bazelw run //kernels:update",
        )
