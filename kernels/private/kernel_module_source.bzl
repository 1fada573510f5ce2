"""kernel_module_source: where modules come from and how they are built, for any kernel."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "RUNTIME_ATTRS", "run_python_tool", "runtime_folder")
load(":lines.bzl", "check_range")
load(":providers.bzl", "KernelModuleSourceInfo")

_DRIVERS = ["dkms", "kbuild", "scons"]

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
    for kernels in [ctx.attr.kernels] + ctx.attr.patches.values():
        check_range(kernels, ctx.label)

def _kernel_module_source_impl(ctx):
    _check(ctx)
    archive = ctx.actions.declare_file(ctx.label.name + ".source.tar")
    description = ctx.actions.declare_file(ctx.label.name + ".source.json")
    prefix = ctx.attr.strip_prefix
    args = ctx.actions.args()
    args.add("--runtime", runtime_folder(ctx))
    args.add("--output", archive)
    inputs = list(ctx.files.srcs)
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
            args.add("{}={}".format(name, file.path))
    for target, folder in ctx.attr.generated.items():
        for file in target.files.to_list():
            inputs.append(file)
            args.add("{}/{}={}".format(folder, file.basename, file.path))
    args.use_param_file("@%s", use_always = True).set_param_file_format("multiline")
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset(inputs),
        outputs = [archive],
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
            description = description,
            kernels = ctx.attr.kernels,
            label = str(ctx.label).removeprefix("@@").removeprefix("@"),
            modules = ctx.attr.modules,
            patches = patches,
            root_extras = ctx.attr.root_extras,
        ),
    ]

kernel_module_source = rule(
    implementation = _kernel_module_source_impl,
    doc = """The source of kernel modules: its files, its driver, and what its build needs.

The driver is how the source is built: `kbuild`, an external module tree with a Makefile or
Kbuild file; `dkms`, a tree with a dkms.conf; `scons`, a workspace in which
`scons --kernel-dir=HEADERS MODULE.ko` is the build.""",
    attrs = {
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
