"""The external repositories of the kernels, before the catalogue can be loaded."""

load("//kernels/private:kernel_catalogue.bzl", "kernel_catalogue")
load("//kernels/private:vrouter_source.bzl", "vrouter_source")

def kernel_repositories():
    """Declare the catalogue and the default module source."""
    kernel_catalogue(
        name = "kernel_catalogue",
        catalogue = "//kernels:catalogue.json",
        lock = "//kernels:kernels.lock.json",
    )
    vrouter_source(name = "vrouter_source")
