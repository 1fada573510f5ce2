"""container_test: a test of an image, without a daemon or with one."""

load("//tools/python:defs.bzl", "pytest_test")

def container_test(name, image, srcs, docker = False, deps = [], data = [], tags = [], **kwargs):
    """A pytest test of an image.

    `tests.containers.built_image.Image` gives it the configuration, the tree that a container sees (modes, owners, links), users
    and files' bytes. With `docker` it has the `docker` Python package, too, and a daemon in which the image is loaded
    (`tests.containers.docker_client.loaded`): that of DOCKER_HOST, docker's or podman's, or one that is started for the test.

    Args:
      name: the test's name.
      image: the container_image.
      srcs: the `*_test.py` files.
      docker: whether the test runs containers.
      deps: further py_library targets.
      data: further files.
      tags: further tags.
      **kwargs: what else pytest_test takes.
    """
    label = native.package_relative_label(image)
    native.filegroup(
        name = name + ".archive",
        testonly = True,
        srcs = [image],
        output_group = "archive",
        tags = ["manual"],
    )
    pytest_test(
        name = name,
        srcs = srcs,
        data = data + [
            image,
            name + ".archive",
        ],
        env = kwargs.pop("env", {}) | {"IMAGE": "{}/{}".format(label.package, label.name)},
        env_inherit = kwargs.pop("env_inherit", []) + (["DOCKER_HOST"] if docker else []),
        tags = tags + ([
            "cpu:2",
            "docker",
            "no-remote-exec",
        ] if docker else []),
        deps = deps + ["//tests/containers:docker_client" if docker else "//tests/containers:built_image"],
        **kwargs
    )
