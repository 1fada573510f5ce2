"""locked_package: one package of a lock file, as a repository that is fetched when first needed."""

load(":fetch.bzl", "download_packages", "fail_for")
load(":mirrors.bzl", "mirrors")

# Not attributes: Bazel would look at these files for every package. The Python is the tool runtime's.
_AVAILABILITY = Label("//tools/kernels:availability.py")
_PYTHON = Label("@tool_runtime//:bin/python3")
_RUN_MODULE = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"

_BUILD = """filegroup(
    name = "package",
    srcs = {srcs},
    target_compatible_with = {compatible_with},
    visibility = ["//visibility:public"],
)
"""

def _is_dropped(rctx, package):
    """Whether the mirrors have the index and refuse the package; one that doesn't answer may have it."""
    places = []
    for base in mirrors(rctx)[package["archive"]]:
        places.extend([base + "/" + package["path"], base + "/" + rctx.attr.index])
    python = rctx.path(_PYTHON)
    workspace = rctx.path(_AVAILABILITY).dirname.dirname.dirname
    done = rctx.execute([python, "-ISBc", _RUN_MODULE, workspace, "tools.kernels.availability"] + places)
    return done.return_code == 0 and done.stdout.strip() == "gone"

def _locked_package_impl(rctx):
    package = json.decode(rctx.attr.package)
    files, failed = download_packages(rctx, [package], "package")
    if failed and not (rctx.attr.index and _is_dropped(rctx, package)):
        fail_for(failed, rctx.attr.refresh)
    if failed:
        # buildifier: disable=print
        print("WARNING: no mirror has {} {} any more; what needs it is skipped. Refresh the lock: {}; ask again: ./bazelw sync --only={}".format(
            package["name"],
            package["version"],
            rctx.attr.refresh,
            rctx.name,
        ))
    rctx.file("BUILD.bazel", _BUILD.format(
        compatible_with = ["@platforms//:incompatible"] if failed else [],
        srcs = [] if failed else files.values(),
    ), executable = False)

locked_package = repository_rule(
    implementation = _locked_package_impl,
    doc = """One locked package; `:package` is its file.

With `index`, a package that the mirrors have dropped makes `:package` an incompatible target, so that
Bazel skips what depends on it and wasn't named itself.""",
    attrs = {
        "index": attr.string(
            doc = "The index of the package's suite, below the archive: mirrors that have it have dropped what they refuse.",
        ),
        "package": attr.string(
            doc = "The package's entry of the lock file, as JSON.",
            mandatory = True,
        ),
        "refresh": attr.string(
            doc = "The command that refreshes the lock, named when the package can't be had.",
            mandatory = True,
        ),
    },
    environ = ["DEBIAN_MIRRORS"],
)
