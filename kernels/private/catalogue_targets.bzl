"""The targets of every kernel in the catalogue."""

load("@kernel_catalogue//:catalogue.bzl", "KERNELS")
load(":find_kernel.bzl", "has_image")
load(":kernel_headers.bzl", "kernel_headers")
load(":kernel_image.bzl", "kernel_image")
load(":kernel_module.bzl", "kernel_module")
load(":kernel_shell.bzl", "kernel_shell")

def _order(release):
    """A key that sorts releases of one line by age: their numbers, in order."""
    numbers = []
    digits = ""
    for character in (release + "-").elems():
        if character.isdigit():
            digits += character
        elif digits:
            numbers.append(int(digits))
            digits = ""
    return numbers

def latest_releases(flavour = "amd64", testable = False):
    """The newest kernel of each line that can be built for.

    Args:
      flavour: only kernels of this flavour.
      testable: only kernels that can be booted, too.

    Returns:
      A list of releases, oldest line first.
    """
    newest = {}
    for kernel in KERNELS:
        line = kernel["line"]
        if kernel.get("missing") or (testable and not has_image(kernel)):
            continue
        if kernel["flavour"] == flavour and (line not in newest or _order(kernel["release"]) > _order(newest[line])):
            newest[line] = kernel["release"]
    return newest.values()

def catalogue_targets(name = "latest"):
    """Declare RELEASE, RELEASE.headers, RELEASE.image and RELEASE.shell for every kernel of the catalogue.

    Args:
      name: the target of the newest kernel of each line.
    """
    for kernel in KERNELS:
        release = kernel["release"]
        kernel_headers(
            name = release + ".headers",
            compiler = kernel["compiler"],
            packages = kernel["headers"],
            release = release,
            root = "//roots:" + kernel["root"],
            tags = ["manual"],
        )
        kernel_module(
            name = release,
            headers = release + ".headers",
            # What no mirror had when the catalogue was made is left out of //kernels:all.
            tags = ["manual"] if kernel.get("missing") else [],
        )
        kernel_image(
            name = release + ".image",
            flavour = kernel["flavour"],
            line = kernel["line"],
            packages = kernel["image"],
            release = release,
            tags = ["manual"],
            # What no mirror had when the catalogue was made can't be booted; Bazel skips the tests that need it.
            target_compatible_with = [] if has_image(kernel) else ["@platforms//:incompatible"],
        )
        kernel_shell(
            name = release + ".shell",
            module = release,
            tags = ["manual"],
        )
    native.filegroup(
        name = name,
        srcs = latest_releases(),
    )
