"""kernel_headers: a kernel's packages as one archive, and what is to be known of the kernel."""

load("//roots:defs.bzl", "PRUNE_ATTRS", "RootInfo", "pruned_archive")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool", "runtime_folder")
load(":providers.bzl", "KernelInfo")

# What no object reaches: kbuild's memory of each option, device trees (x86 has none), what only a link reads.
_NOT_FOR_OBJECTS = [
    "usr/src/*/include/config",
    "usr/src/*/include/dt-bindings",
    "usr/src/*/.config",
    "usr/src/*/Module.symvers",
    "usr/lib/linux-kbuild-*/certs",
    "usr/lib/linux-kbuild-*/scripts/mod",
    "usr/lib/linux-kbuild-*/tools/bpf",
    "usr/lib/modules/*/config",
]

def _kernel_headers_impl(ctx):
    release = ctx.attr.release
    headers = ctx.actions.declare_file(ctx.label.name + "/headers.tar")
    facts = ctx.actions.declare_file(ctx.label.name + "/kernel.json")
    symvers = ctx.actions.declare_file(ctx.label.name + "/Module.symvers")
    args = ctx.actions.args()
    args.add("--runtime", runtime_folder(ctx))
    args.add("--release", release)
    args.add("--headers", headers)
    args.add("--facts", facts)
    args.add("--symvers", symvers)
    args.add_all(ctx.files.packages)
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset(ctx.files.packages),
        outputs = [headers, facts, symvers],
        tools = depset(ctx.files._programs),
        mnemonic = "KernelHeaders",
        progress_message = "Collecting the headers of kernel " + release,
    )
    compile_headers = pruned_archive(ctx, headers, ctx.label.name + "/compile.tar", _NOT_FOR_OBJECTS)
    return [
        DefaultInfo(files = depset([headers, facts, symvers])),
        OutputGroupInfo(compile = depset([compile_headers])),
        KernelInfo(
            compile_headers = compile_headers,
            compiler = ctx.attr.compiler,
            facts = facts,
            headers = headers,
            release = release,
            root = ctx.attr.root,
            symvers = symvers,
        ),
    ]

kernel_headers = rule(
    implementation = _kernel_headers_impl,
    doc = "A kernel's header packages (.deb or .rpm) as one archive, with kernel.json and Module.symvers.",
    attrs = {
        "compiler": attr.string(
            doc = "The compiler that the kernel was built with, a program of the root, for example gcc-12.",
            mandatory = True,
        ),
        "packages": attr.label_list(
            doc = "The packages: headers, common headers, kbuild.",
            mandatory = True,
            allow_files = [".deb", ".rpm"],
        ),
        "release": attr.string(
            doc = "The kernel release, as `uname -r` prints it.",
            mandatory = True,
        ),
        "root": attr.label(
            doc = "The root_archive that modules for this kernel are built in.",
            mandatory = True,
            providers = [RootInfo],
        ),
        "_tool": attr.label(default = "//tools/kernels:headers"),
    } | PRUNE_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [KernelInfo],
)
