"""kernel_tests: a VM test for every kernel of the catalogue."""

load("@kernel_catalogue//:catalogue.bzl", "KERNELS")
load("//kernels:defs.bzl", "has_image", "latest_releases")
load("//tools/python:defs.bzl", "pytest_test")
load(":router_test.bzl", "router_test")

def kernel_tests(script, name = "all", latest = "latest", latest_tests = [], **kwargs):
    """Declare a router_test for each kernel, called RELEASE, and suites of them.

    `bazel test //...` runs only those of the suite `latest`. The kernels that can't be built for or
    booted, because mirrors have dropped their packages, are skipped.

    Args:
      script: the script of all the tests.
      name: the suite of all kernels.
      latest: the suite of the newest kernel of each line, flavour amd64.
      latest_tests: further tests of that suite.
      **kwargs: what else router_test takes.
    """
    newest = latest_releases(testable = True)
    for kernel in KERNELS:
        release = kernel["release"]
        testable = has_image(kernel) and not kernel.get("missing")
        router_test(
            name = release,
            kernel = release,
            script = script,
            tags = [] if release in newest else ["manual"],
            target_compatible_with = [] if testable else ["@platforms//:incompatible"],
            **kwargs
        )
    native.test_suite(
        name = name,
        # Or `bazel test //...` would run the suite, and with it every test that it names.
        tags = ["manual"],
        tests = [kernel["release"] for kernel in KERNELS],
    )

    # Bazel's exit code is 0 when all tests were skipped, as they are when mirrors drop all their images.
    images = ["//kernels:{}.image".format(release) for release in newest]
    quoted = " ".join(["'{}'".format(image) for image in images])
    native.genquery(
        name = latest + ".testable",
        testonly = True,
        expression = "set({0}) except rdeps(set({0}), attr(target_compatible_with, ':incompatible', deps(set({0}), 1)), 1)".format(quoted),
        scope = images,
    )
    pytest_test(
        name = latest + "_not_empty_test",
        srcs = ["not_empty_test.py"],
        data = [latest + ".testable"],
        env = {"TESTABLE": "$(rootpath {}.testable)".format(latest)},
    )
    native.test_suite(
        name = latest,
        tests = newest + [latest + "_not_empty_test"] + latest_tests,
    )
