"""What the tests of modules share: which kernels they build for, and roots inside a test."""

load("@kernel_catalogue//:catalogue.bzl", "KERNELS")
load("//kernels:defs.bzl", "kernel_module", "latest_releases", "supports")
load("//tools/python:defs.bzl", "pytest_test")

def modules_test(name, source, modules, test, kernels = "", deps_prefix = "", **kwargs):
    """Build a source for the newest kernel of each line, and check what was built.

    Args:
      name: the test's name; the modules are NAME-RELEASE.
      source: the kernel_module_source.
      modules: a dict from the name of each module to the names of the modules that it depends on.
      test: a pytest file, which finds the built modules through tests/kernels/built.py.
      kernels: the lines to build for, as FIRST..LAST.
      deps_prefix: with the kernel's release behind it, the kernel_module that these depend on; empty for none.
      **kwargs: what else pytest_test takes.
    """
    targets = []
    for release in latest_releases():
        if supports(kernels, release):
            target = "{}-{}".format(name.removesuffix("_test"), release)
            targets.append(target)
            kernel_module(
                name = target,
                headers = "//kernels:{}.headers".format(release),
                source = source,
                tags = ["manual"],
                deps = [deps_prefix + release] if deps_prefix else [],
            )
    pytest_test(
        name = name,
        srcs = [test],
        data = targets,
        env = {
            "BUILT": " ".join(["{}/{}".format(native.package_name(), target) for target in targets]),
            "MODULES": json.encode(modules),
        },
        deps = ["//tests/kernels:in_tests"],
        **kwargs
    )

def same_bytes_test(name, source, whole, kernels = ""):
    """Test that objects by actions of their own give the bytes of a whole-module build, for the newest kernel of each line.

    Args:
      name: the test's name.
      source: a kernel_module_source with compilation = "objects".
      whole: the same with compilation = "whole".
      kernels: the lines to build for, as FIRST..LAST.
    """
    releases = [release for release in latest_releases() if supports(kernels, release)]
    targets = {}
    for kind, label in {"objects": source, "whole": whole}.items():
        targets[kind] = ["{}-{}-{}".format(name.removesuffix("_test"), kind, release) for release in releases]
        for target, release in zip(targets[kind], releases):
            kernel_module(
                name = target,
                headers = "//kernels:{}.headers".format(release),
                source = label,
                tags = ["manual"],
            )
    pytest_test(
        name = name,
        srcs = ["same_bytes_test.py"],
        data = targets["objects"] + targets["whole"],
        env = {
            kind.upper(): " ".join(["{}/{}".format(native.package_name(), target) for target in targets[kind]])
            for kind in targets
        },
        deps = ["//tests/kernels:in_tests"],
    )

def root_test(name, srcs, lines, data = [], **kwargs):
    """A pytest that runs commands in the roots of real kernels (tests/kernels/kernel_root.py).

    Args:
      name: the test's name.
      srcs: the pytest files.
      lines: the kernel lines whose newest kernel the test uses.
      data: further files.
      **kwargs: what else pytest_test takes.
    """
    kernels = [
        kernel
        for kernel in KERNELS
        if kernel["release"] in latest_releases() and kernel["line"] in lines
    ]
    if len(kernels) != len(lines):
        fail("{}: the catalogue has only {} of the lines {}".format(name, len(kernels), ", ".join(lines)))
    pytest_test(
        name = name,
        srcs = srcs,
        data = data + [
            "//tools/kernels:build_module",
            "//tools/kernels:compile_object",
            "//tools/kernels:patch_source",
            "//tools/kernels:plan_module",
            "//tools/roots:run_in_root",
            "@tool_runtime//:programs",
        ] + ["//roots:" + kernel["root"] for kernel in kernels] + [
            "//kernels:{}.headers".format(kernel["release"])
            for kernel in kernels
        ],
        env = {
            "KERNELS": json.encode([
                {
                    "compiler": kernel["compiler"],
                    "headers": "kernels/{}.headers".format(kernel["release"]),
                    "line": kernel["line"],
                    "release": kernel["release"],
                    "root": "roots/{}.tar".format(kernel["root"]),
                }
                for kernel in kernels
            ]),
        },
        deps = ["//tests/kernels:in_tests"],
        **kwargs
    )
