"""The external repositories of the containers."""

load("//containers/private:container_packages.bzl", "container_packages")

def container_repositories():
    """Declare the packages that containers are made of."""
    container_packages(
        name = "container_packages",
        locks = [
            "//roots:containers.lock.json",
            "//roots:containers-forky.lock.json",
        ],
    )
