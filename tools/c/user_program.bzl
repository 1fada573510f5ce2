"""user_program: a C program for user space, static, from a locked compiler."""

load("//roots:defs.bzl", "ROOT_ATTRS", "ROOT_TOOLCHAINS", "RootInfo", "root_layers", "run_in_root")

UserProgramInfo = provider(
    "A program for user space.",
    fields = {
        "program": "File: the program.",
        "root": "Target: the root_archive that it was compiled in; a sanitized program runs only there.",
        "static": "bool: whether it needs nothing besides a kernel.",
    },
)

def _user_program_impl(ctx):
    sources = [file for file in ctx.files.srcs if file.extension == "c"]
    headers = [file for file in ctx.files.srcs + ctx.files.hdrs if file.extension == "h"]
    if not sources:
        fail("{}: `srcs` has no .c file; name the files to compile".format(ctx.label))
    program = ctx.actions.declare_file(ctx.label.name)

    # The same relative paths as in the workspace, which messages thus name.
    places = {file: "/build/" + file.short_path for file in sources + headers}
    words = ["--target", str(ctx.label).removeprefix("@@").removeprefix("@"), "--output", "/out/program"]
    for file in sources:
        words.extend(["--source", file.short_path])
    for folder in {file.short_path.rpartition("/")[0] or ".": None for file in headers}:
        words.extend(["--include", folder])
    for library in ctx.attr.libraries:
        words.extend(["--library", library])
    if ctx.attr.sanitize:
        words.append("--sanitize")
    run_in_root(
        ctx,
        layers = [(archive, "/") for archive in root_layers(ctx.attr.root)],
        outputs = {"program": program},
        command = words,
        inputs = places,
        tool = ctx.attr._compile,
        mnemonic = "UserProgram",
        progress_message = "Compiling program %{label}",
    )
    return [
        DefaultInfo(
            executable = program,
            files = depset([program]),
        ),
        UserProgramInfo(
            program = program,
            root = ctx.attr.root,
            static = not ctx.attr.sanitize,
        ),
    ]

user_program = rule(
    implementation = _user_program_impl,
    doc = """Compiles a C program for user space.

The program is static and stripped, so that one file runs in any root, image or guest. It is
named after the target.

    user_program(
        name = "vr",
        srcs = glob(["*.c", "*.h"]),
        libraries = ["mnl"],
    )

Headers are found by name in the folder of every header that is given. Warnings are errors.""",
    attrs = {
        "hdrs": attr.label_list(
            doc = "Headers from elsewhere, such as generated ones; only the .h files of a target count.",
            allow_files = True,
        ),
        "libraries": attr.string_list(
            doc = "Static libraries of the root to link, for example `mnl`.",
        ),
        "root": attr.label(
            doc = "The root with the compiler `cc` and the libraries.",
            default = "//roots:userspace",
            providers = [RootInfo],
        ),
        "sanitize": attr.bool(
            doc = """Whether the program stops at memory errors and undefined behaviour (AddressSanitizer,
UndefinedBehaviorSanitizer). Such a program isn't static: it runs only in its root.""",
        ),
        "srcs": attr.label_list(
            doc = "The .c files and their headers.",
            allow_files = [".c", ".h"],
            mandatory = True,
        ),
        "_compile": attr.label(default = "//tools/c:compile"),
    } | ROOT_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
    executable = True,
    provides = [UserProgramInfo],
)
