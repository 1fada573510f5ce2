"""The external repositories of the containers."""

load("//containers/private:base_catalogue.bzl", "base_catalogue")
load("//containers/private:container_packages.bzl", "container_packages")
load("//containers/private:go_modules.bzl", "go_modules")
load(":catalogue.bzl", "GO_PROGRAMS")

def container_repositories():
    """Declare the packages and modules that containers are made of, and the lock of pulled images."""
    base_catalogue(
        name = "container_bases",
        lock = "//containers:bases.lock.json",
    )
    container_packages(
        name = "container_packages",
        locks = [
            "//roots:containers.lock.json",
            "//roots:containers-forky.lock.json",
        ],
    )
    for name in GO_PROGRAMS:
        go_modules(
            name = "go_modules_" + name,
            lock = "//containers/{}:go.lock.json".format(name),
        )
