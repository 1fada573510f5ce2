"""The external repositories of the roots."""

load("//roots/private:bazel_rules.bzl", "bazel_rules")
load("//roots/private:debian_packages.bzl", "debian_packages")
load("//roots/private:fetch.bzl", _read_lock = "read_lock")
load("//roots/private:locked_wheels.bzl", "locked_wheels", _pip_words = "pip_words")
load("//roots/private:tool_runtime.bzl", "tool_runtime")
load(":catalogue.bzl", "PACKAGE_LISTS", "ROOTS", "WHEELS")

# Repository rules of other domains read locks too; defs.bzl can't be loaded before rules_python is there.
read_lock = _read_lock
pip_words = _pip_words

# The rule sets that Bazel 7 would download: name to package and folder.
_RULE_SETS = {
    "bazel_features": ("bazel-features", "tools/features"),
    "bazel_skylib": ("bazel-skylib", "tools/skylib"),
    "platforms": ("bazel-platforms", "tools/platforms"),
    "rules_cc": ("bazel-rules-cc", "rules/cc"),
    "rules_java": ("bazel-rules-java", "rules/java"),
    "rules_license": ("bazel-rules-license", "rules/license"),
    "rules_proto": ("bazel-rules-proto", "rules/proto"),
    "rules_python": ("bazel-rules-python", "rules/python"),
}

def root_repositories():
    """Declare the rule sets, the tool runtime, and the packages of every root."""
    for name, (package, folder) in _RULE_SETS.items():
        bazel_rules(
            name = name,
            lock = "//roots:bazel.lock.json",
            package = package,
            strip_prefix = "./usr/share/bazel/" + folder,
        )
    tool_runtime(
        name = "tool_runtime",
        build_file = "//tools/python:runtime.BUILD",
        lock = "//roots:tools.lock.json",
    )
    for root, extras in ROOTS.items():
        for extra in [""] + extras:
            debian_packages(
                name = root_repository(root, extra),
                extra = extra,
                lock = "//roots:{}.lock.json".format(root),
            )

    for root, python in WHEELS.items():
        locked_wheels(
            name = wheels_repository(root),
            lock = "//roots:{}.requirements.txt".format(root),
            python = python,
        )

    for name in PACKAGE_LISTS:
        debian_packages(
            name = root_repository(name),
            lock = "//roots:{}.lock.json".format(name),
        )

def root_repository(root, extra = ""):
    """The name of the repository with a root's packages.

    Args:
      root: the root's name.
      extra: the extra's name, or empty for the root's own packages.

    Returns:
      The repository's name.
    """
    return "root_{}.{}".format(root, extra) if extra else "root_" + root

def wheels_repository(root):
    """The name of the repository with a root's wheels.

    Args:
      root: the root's name.

    Returns:
      The repository's name.
    """
    return "wheels_" + root
