"""kernel_headers: a kernel's packages as one archive, and what is to be known of the kernel."""

load("//roots:defs.bzl", "RootInfo")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "RUNTIME_ATTRS", "run_python_tool", "runtime_folder")
load(":providers.bzl", "KernelInfo")

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
    return [
        DefaultInfo(files = depset([headers, facts, symvers])),
        KernelInfo(
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
    } | RUNTIME_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [KernelInfo],
)
