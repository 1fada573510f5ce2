"""Every external repository of the workspace; each is fetched when something first needs it."""

load("//containers:repositories.bzl", "container_repositories")
load("//kernels:repositories.bzl", "kernel_repositories")
load("//roots:repositories.bzl", "root_repositories")

def forge_repositories():
    """Declare all external repositories."""
    root_repositories()
    kernel_repositories()
    container_repositories()
