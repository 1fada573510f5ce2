"""root_archive: the packages of a lock as one archive, the input of every action that runs in a root."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool", "runtime_folder")
load(":providers.bzl", "RootInfo")
load(":pruned_archive.bzl", "PRUNE_ATTRS", "pruned_archive")

# The extra that has a root's wheels.
WHEELS = "wheels"

# What neither a compiler nor what kbuild runs after it needs: sanitizers, static libraries, other linkers, profilers,
# perl, package managers. A program that is missing after all fails the object that wants it.
_NOT_FOR_OBJECTS = [
    "usr/bin/dpkg*",
    "usr/bin/find",
    "usr/bin/perl*",
    "usr/bin/*-dwp",
    "usr/bin/*-gcov*",
    "usr/bin/*-gprof*",
    "usr/bin/*-gp-*",
    "usr/bin/*-ld.gold",
    "usr/bin/gp-*",
    "usr/bin/gprofng*",
    "usr/bin/tar",
    "bin/tar",
    "usr/lib/gcc/*.a",
    "usr/lib/*/gprofng",
    "usr/lib/*/libasan.*",
    "usr/lib/*/libgprofng.*",
    "usr/lib/*/libhwasan.*",
    "usr/lib/*/liblsan.*",
    "usr/lib/*/libtsan.*",
    "usr/lib/*/libubsan.*",
    "usr/lib/*/perl-base",
    "usr/lib/*/systemd",
    "usr/libexec/gcc/*/lto-wrapper",
    "usr/share/perl*",
    "var",
]

def _archive(ctx, packages, name, extra):
    output = ctx.actions.declare_file(name + ".tar")
    args = ctx.actions.args()
    args.add("--runtime", runtime_folder(ctx))
    args.add("--lock", ctx.file.lock)
    args.add("--output", output)
    if extra:
        args.add("--extra")
    args.add_all(packages)
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset([ctx.file.lock] + packages),
        outputs = [output],
        tools = depset(ctx.files._programs),
        mnemonic = "RootArchive",
        progress_message = "Archiving root " + name,
    )
    return output

def _wheels(ctx):
    output = ctx.actions.declare_file("{}.{}.tar".format(ctx.label.name, WHEELS))
    args = ctx.actions.args()
    args.add("--output", output)
    args.add("--python", ctx.attr.python)
    args.add_all(ctx.files.wheels)
    run_python_tool(
        ctx,
        ctx.attr._wheel_tool,
        [args],
        inputs = depset(ctx.files.wheels),
        outputs = [output],
        mnemonic = "WheelArchive",
        progress_message = "Archiving the wheels of root " + ctx.label.name,
    )
    return output

def _root_archive_impl(ctx):
    archive = _archive(ctx, ctx.files.packages, ctx.label.name, extra = False)
    extras = {
        name: _archive(ctx, target.files.to_list(), "{}.{}".format(ctx.label.name, name), extra = True)
        for target, name in ctx.attr.extras.items()
    }
    if ctx.attr.wheels:
        extras[WHEELS] = _wheels(ctx)
    return [
        DefaultInfo(files = depset([archive])),
        OutputGroupInfo(**{name: depset([file]) for name, file in extras.items()}),
        RootInfo(
            name = ctx.label.name,
            archive = archive,
            compile = pruned_archive(ctx, archive, ctx.label.name + ".compile.tar", _NOT_FOR_OBJECTS),
            extras = extras,
        ),
    ]

root_archive = rule(
    implementation = _root_archive_impl,
    doc = """One deterministic tar of a root's packages, and one for each extra.

The archives keep the packages' own names, modes and times; /usr is merged; nothing of a
maintainer script is run. An extra's archive, an output group of its name, is made only when
something asks for it.""",
    attrs = {
        "lock": attr.label(
            doc = "The root's lock file, for what it leaves out and for its links.",
            mandatory = True,
            allow_single_file = [".lock.json"],
        ),
        "packages": attr.label(
            doc = "The root's packages, from `debian_packages`.",
            mandatory = True,
        ),
        "extras": attr.label_keyed_string_dict(
            doc = "The packages of each extra, to the extra's name.",
        ),
        "python": attr.string(
            doc = "The version of the root's Python, which wheels are unpacked for.",
            default = "3.11",
        ),
        "wheels": attr.label(
            doc = "The root's wheels, from `locked_wheels`; they become the extra `wheels`.",
        ),
        "_tool": attr.label(default = "//tools/roots:root_archive"),
        "_wheel_tool": attr.label(default = "//tools/wheels:wheel_archive"),
    } | PRUNE_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [RootInfo],
)
