"""kernel_module_source: where modules come from and how they are built, for any kernel."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "RUNTIME_ATTRS", "run_python_tool", "runtime_folder")
load(":lines.bzl", "check_range")
load(":providers.bzl", "KernelModuleSourceInfo")

_DRIVERS = ["dkms", "kbuild", "scons"]

# The drivers for which kbuild can be asked what it would run.
_PLANNED = ["dkms", "kbuild"]

_COMPILATIONS = ["objects", "whole"]

def _relative(path, prefix):
    """`path` without `prefix`, or None when it isn't below it."""
    if not prefix:
        return path
    return path[len(prefix) + 1:] if path.startswith(prefix + "/") else None

def _folder(label, prefix):
    """The source's root in the repository: a folder of the target's package, or after // one of any."""
    if prefix.startswith("//"):
        return prefix.removeprefix("//")
    return "/".join([part for part in [label.package, prefix] if part])

def _check(ctx):
    """Fail on attribute values that no build could use."""
    if ctx.attr.driver not in _DRIVERS:
        fail("{}: unknown driver '{}'; choose one of: {}".format(ctx.label, ctx.attr.driver, ", ".join(_DRIVERS)))
    if not ctx.attr.modules:
        fail("{}: `modules` is empty; name what the source builds, without .ko, for example [\"vrouter\"]".format(ctx.label))
    if bool(ctx.attr.srcs) == bool(ctx.attr.package):
        fail("{}: give either `srcs` or `package`, and not both".format(ctx.label))
    if ctx.attr.compilation and ctx.attr.compilation not in _COMPILATIONS:
        fail("{}: unknown compilation '{}'; choose one of: {}, or leave it out".format(
            ctx.label,
            ctx.attr.compilation,
            ", ".join(_COMPILATIONS),
        ))
    if ctx.attr.compilation == "objects" and ctx.attr.driver not in _PLANNED:
        fail("{}: compilation = \"objects\" needs a driver that is asked for a plan: {}; with {} leave it out".format(
            ctx.label,
            ", ".join(_PLANNED),
            ctx.attr.driver,
        ))
    if ctx.attr.package_c_files and not ctx.attr.package:
        fail("{}: `package_c_files` is for `package`; the C files of `srcs` are known without it".format(ctx.label))
    for kernels in [ctx.attr.kernels] + ctx.attr.patches.values():
        check_range(kernels, ctx.label)

def _is_c_file(name):
    """Whether kbuild makes an object of it, as tools/kernels/parts.py has it."""
    return name.endswith(".c") and not name.endswith(".mod.c")

def _why_whole(ctx, c_files):
    """Why the source is built by one action, for its build log; empty if each of `c_files` has one of its own."""
    if ctx.attr.compilation == "whole":
        return "the source says compilation = \"whole\""
    if ctx.attr.driver not in _PLANNED:
        return "the driver {} can't be asked for a plan; {} can".format(ctx.attr.driver, " and ".join(_PLANNED))
    if not c_files and ctx.attr.package:
        return "`package_c_files` names none of the package's C files"
    return "" if c_files else "the source has no C files"

def _declare_parts(ctx, files, args):
    """Declare what plans and objects depend on, where the source isn't built as a whole.

    Args:
      ctx: the rule's context.
      files: a dict of the source's paths to Files; empty for a package.
      args: the `Args` of the tool that writes them.

    Returns:
      A struct: outline and headers (Files, or None), c_files (Files by their paths), taken_out (those C files that
      are outputs), whole (why the source is built as a whole; empty if it isn't).
    """
    names = [name for name in files if _is_c_file(name)] + ctx.attr.package_c_files
    whole = _why_whole(ctx, names)
    if whole:
        if ctx.attr.compilation == "objects":
            fail("{}: compilation = \"objects\" needs C files in `srcs` or `generated`, or their paths in `package_c_files`".format(ctx.label))
        return struct(outline = None, headers = None, c_files = {}, taken_out = [], whole = whole)
    taken_out = {
        name: ctx.actions.declare_file("{}.files/{}".format(ctx.label.name, name))
        for name in ctx.attr.package_c_files
    }
    c_files = {name: taken_out.get(name) or files[name] for name in names}
    outline = ctx.actions.declare_file(ctx.label.name + ".outline.tar")
    headers = ctx.actions.declare_file(ctx.label.name + ".headers.tar")
    args.add("--outline", outline)
    args.add("--headers", headers)
    args.add("--target", str(ctx.label).removeprefix("@@").removeprefix("@"))
    for name, file in taken_out.items():
        args.add("--c-file", "{}={}".format(name, file.path))
    return struct(outline = outline, headers = headers, c_files = c_files, taken_out = taken_out.values(), whole = "")

def _kernel_module_source_impl(ctx):
    _check(ctx)
    archive = ctx.actions.declare_file(ctx.label.name + ".source.tar")
    description = ctx.actions.declare_file(ctx.label.name + ".source.json")
    prefix = ctx.attr.strip_prefix
    args = ctx.actions.args()
    args.add("--runtime", runtime_folder(ctx))
    args.add("--output", archive)
    inputs = list(ctx.files.srcs)
    files = {}
    if ctx.file.package:
        inputs.append(ctx.file.package)
        args.add("--package", ctx.file.package)
        args.add("--strip-prefix", prefix)
    else:
        root = "/".join([part for part in [ctx.label.workspace_root, _folder(ctx.label, prefix)] if part])
        for file in ctx.files.srcs:
            name = _relative(file.path.removeprefix(file.root.path + "/") if file.root.path else file.path, root)
            if name == None:
                fail("{}: {} is not below '{}'; correct `strip_prefix`, or add it through `generated`".format(
                    ctx.label,
                    file.short_path,
                    root,
                ))
            files[name] = file
    for target, folder in ctx.attr.generated.items():
        for file in target.files.to_list():
            inputs.append(file)
            files["{}/{}".format(folder, file.basename)] = file
    for name, file in files.items():
        args.add("{}={}".format(name, file.path))
    parts = _declare_parts(ctx, files, args)
    args.use_param_file("@%s", use_always = True).set_param_file_format("multiline")
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset(inputs),
        outputs = [archive] + [part for part in [parts.outline, parts.headers] if part] + parts.taken_out,
        tools = depset(ctx.files._programs),
        mnemonic = "ModuleSource",
        progress_message = "Archiving module source %{label}",
    )
    patches = {}
    described = []
    for target, kernels in ctx.attr.patches.items():
        for file in target.files.to_list():
            patches[file] = "/forge/patches/{}.patch".format(len(patches))
            described.append({"path": patches[file], "name": file.short_path, "kernels": kernels})
    ctx.actions.write(description, json.encode({
        "label": str(ctx.label).removeprefix("@@").removeprefix("@"),
        "driver": ctx.attr.driver,
        "directory": ctx.attr.directory,
        "modules": ctx.attr.modules,
        "make_vars": ctx.attr.make_vars,
        "patches": described,
        "display": ctx.attr.display or (prefix if ctx.file.package else _folder(ctx.label, prefix)),
    }))
    return [
        DefaultInfo(files = depset([archive, description])),
        KernelModuleSourceInfo(
            archive = archive,
            c_files = parts.c_files,
            description = description,
            headers = parts.headers,
            kernels = ctx.attr.kernels,
            label = str(ctx.label).removeprefix("@@").removeprefix("@"),
            modules = ctx.attr.modules,
            outline = parts.outline,
            patched_kernels = ctx.attr.patches.values(),
            patches = patches,
            plan_required = ctx.attr.compilation == "objects",
            root_extras = ctx.attr.root_extras,
            whole = parts.whole,
        ),
    ]

kernel_module_source = rule(
    implementation = _kernel_module_source_impl,
    doc = """The source of kernel modules: its files, its driver, and what its build needs.

The driver is how the source is built: `kbuild`, an external module tree with a Makefile or
Kbuild file; `dkms`, a tree with a dkms.conf; `scons`, a workspace in which
`scons --kernel-dir=HEADERS MODULE.ko` is the build.

With the drivers `kbuild` and `dkms`, each C file is compiled in an action of its own, as kbuild itself plans
it, so that an edit compiles what it changes. A source is built as a whole, by one action, with `scons`; from a
`package` without `package_c_files`; with less C files than `--//kernels:objects_from` asks for, unless `compilation` is `objects`; and where kbuild
can't be asked for a plan. The first line of build.log says so, and why.""",
    attrs = {
        "compilation": attr.string(
            doc = "`objects`: an action for each C file, and an error if kbuild can't plan them; `whole`: one action for all. Empty for objects where they can be planned.",
        ),
        "directory": attr.string(
            doc = "Where in the source the Makefile, dkms.conf or SConstruct is.",
            default = ".",
        ),
        "display": attr.string(
            doc = "How messages name the source's root; its folder in the workspace or in `package` if not given.",
        ),
        "driver": attr.string(
            doc = "One of `kbuild`, `dkms`, `scons`.",
            mandatory = True,
        ),
        "generated": attr.label_keyed_string_dict(
            doc = "Code-generation steps: targets whose files are put into a folder of the source.",
            allow_files = True,
        ),
        "kernels": attr.string(
            doc = "The kernel lines that the source supports, as FIRST..LAST (either may be left out); empty for all.",
        ),
        "make_vars": attr.string_dict(
            doc = "Variables for make or scons; {release} and {build_dir} stand for the kernel's.",
        ),
        "modules": attr.string_list(
            doc = "The modules that the build makes, as paths in the source without .ko.",
        ),
        "package": attr.label(
            doc = "A .deb or .rpm that has the source, instead of `srcs`.",
            allow_single_file = [".deb", ".rpm"],
        ),
        "package_c_files": attr.string_list(
            doc = "The C files of `package`, as paths in the source, that are compiled in actions of their own.",
        ),
        "patches": attr.label_keyed_string_dict(
            doc = "Patches (applied with -p1, in order) to the kernel lines that each is for, as FIRST..LAST; empty for all.",
            allow_files = [".patch", ".diff"],
        ),
        "root_extras": attr.string_list(
            doc = "Extras of the kernel's root that the build needs, as declared in roots/*.yaml.",
        ),
        "srcs": attr.label_list(
            doc = "The source's files.",
            allow_files = True,
        ),
        "strip_prefix": attr.string(
            doc = "The folder (in the target's package, or in `package`) that is the source's root; //FOLDER is one of the repository.",
        ),
        "_tool": attr.label(default = "//tools/kernels:source_archive"),
    } | RUNTIME_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [KernelModuleSourceInfo],
)
