"""kernel_module: the modules of one source for one kernel, built in its root and past the gate."""

load("//roots:defs.bzl", "ROOT_ATTRS", "ROOT_TOOLCHAINS", "root_layers", "run_in_root")
load("//tools/python:defs.bzl", "run_python_tool")
load(":lines.bzl", "supports")
load(":module_objects.bzl", "OBJECTS_ATTRS", "module_objects", "why_whole")
load(":providers.bzl", "KernelInfo", "KernelModuleInfo", "KernelModuleSourceInfo")

def module_layers(kernel, source):
    """What the root of a module build holds: (File, folder) pairs.

    Args:
      kernel: a KernelInfo.
      source: a KernelModuleSourceInfo.

    Returns:
      A list for `run_in_root`.
    """
    layers = [(archive, "/") for archive in root_layers(kernel.root, source.root_extras)]
    return layers + [(kernel.headers, "/"), (source.archive, "/build/source")]

def _symvers_places(deps_symvers):
    return {file: "/forge/symvers/{}".format(index) for index, file in enumerate(deps_symvers)}

def module_inputs(kernel, source, deps_symvers):
    """What the root of a module build sees besides its layers.

    Args:
      kernel: a KernelInfo.
      source: a KernelModuleSourceInfo.
      deps_symvers: the Module.symvers of each dependency, a list of Files.

    Returns:
      A dict of File to place, for `run_in_root`.
    """
    return {
        kernel.facts: "/forge/kernel.json",
        source.description: "/forge/source.json",
    } | source.patches | _symvers_places(deps_symvers)

def module_words(kernel, deps_symvers):
    """The words of tools/kernels/build_module.py, with the places of `module_inputs`.

    Args:
      kernel: a KernelInfo.
      deps_symvers: the Module.symvers of each dependency, a list of Files.

    Returns:
      A list of strings.
    """
    words = ["--kernel", "/forge/kernel.json", "--source", "/forge/source.json", "--compiler", kernel.compiler]
    for place in _symvers_places(deps_symvers).values():
        words.extend(["--extra-symvers", place])
    return words

def _build(ctx, kernel, source, deps_symvers, unverified):
    """The action that builds; returns the outputs besides the modules."""
    name = ctx.label.name
    outputs = {
        "Module.symvers": ctx.actions.declare_file(name + "/Module.symvers"),
        "build.log": ctx.actions.declare_file(name + "/build.log"),
        "compile_commands.json": ctx.actions.declare_file(name + "/compile_commands.json"),
    }
    debug = {
        module + ".debug": ctx.actions.declare_file("{}/{}.debug".format(name, module))
        for module in unverified
    }
    whole = why_whole(ctx, source)
    objects = {} if whole else module_objects(ctx, kernel, source)
    run_in_root(
        ctx,
        layers = module_layers(kernel, source),
        outputs = outputs | debug | unverified,
        command = module_words(kernel, deps_symvers) + (["--whole", whole] if whole else ["--objects", "/forge/objects"]),
        inputs = module_inputs(kernel, source, deps_symvers) | objects,
        release = kernel.release,
        tool = ctx.attr._build_module,
        mnemonic = "KernelModule",
        progress_message = "Building {} for kernel {}".format(source.label, kernel.release),
    )
    return outputs, debug.values()

def _gate(ctx, kernel, unverified, deps_symvers):
    """The action that lets a module leave the build only if it would load; returns the modules and modinfo.json."""
    name = ctx.label.name
    modules = [ctx.actions.declare_file("{}/{}".format(name, module)) for module in unverified]
    modinfo = ctx.actions.declare_file(name + "/modinfo.json")
    args = ctx.actions.args()
    args.add("--target", str(ctx.label).removeprefix("@@").removeprefix("@"))
    args.add("--kernel", kernel.facts)
    args.add("--symvers", kernel.symvers)
    args.add_all(deps_symvers, before_each = "--extra-symvers")
    args.add("--modinfo", modinfo)
    for source, module in zip(unverified.values(), modules):
        args.add("--module", "{}={}".format(source.path, module.path))
    run_python_tool(
        ctx,
        ctx.attr._gate,
        [args],
        inputs = depset([kernel.facts, kernel.symvers] + deps_symvers + unverified.values()),
        outputs = modules + [modinfo],
        mnemonic = "KernelModuleGate",
        progress_message = "Checking that the modules of %{label} would load",
    )
    return modules, modinfo

def _kernel_module_impl(ctx):
    kernel = ctx.attr.headers[KernelInfo]
    source = ctx.attr.source[KernelModuleSourceInfo]
    if not supports(source.kernels, kernel.release):
        fail("{} supports the kernel lines {}, not {}; choose another source with --//kernels:source=LABEL".format(
            source.label,
            source.kernels,
            kernel.release,
        ))
    deps = [dep[KernelModuleInfo] for dep in ctx.attr.deps]
    for dep in deps:
        if dep.kernel.release != kernel.release:
            fail("{}: depends on modules of {} for kernel {}, and is itself for {}; a dependency is for the same kernel".format(
                ctx.label,
                dep.source.label,
                dep.kernel.release,
                kernel.release,
            ))
    deps_symvers = [dep.symvers for dep in deps]
    names = [module.split("/")[-1] + ".ko" for module in source.modules]
    unverified = {
        module: ctx.actions.declare_file("{}.unverified/{}".format(ctx.label.name, module))
        for module in names
    }
    outputs, debug = _build(ctx, kernel, source, deps_symvers, unverified)
    modules, modinfo = _gate(ctx, kernel, unverified, deps_symvers)
    files = modules + debug + [modinfo] + outputs.values()
    return [
        DefaultInfo(
            files = depset(files),
            runfiles = ctx.runfiles(files = modules),
        ),
        OutputGroupInfo(
            debug = depset(debug),
            modules = depset(modules),
        ),
        KernelModuleInfo(
            compile_commands = outputs["compile_commands.json"],
            debug = debug,
            deps_symvers = deps_symvers,
            kernel = kernel,
            log = outputs["build.log"],
            modinfo = modinfo,
            modules = modules,
            source = source,
            symvers = outputs["Module.symvers"],
        ),
    ]

kernel_module = rule(
    implementation = _kernel_module_impl,
    doc = """Builds the modules of a source for one kernel.

Outputs, in a folder named after the target: each module without debug data, its .debug,
modinfo.json, compile_commands.json, Module.symvers and build.log. A module whose vermagic,
symbols, CRCs or licence would stop it from loading fails the build.""",
    attrs = {
        "deps": attr.label_list(
            doc = "kernel_module targets, for the same kernel, whose exported symbols these modules use.",
            providers = [KernelModuleInfo],
        ),
        "headers": attr.label(
            doc = "The kernel_headers target of the kernel.",
            mandatory = True,
            providers = [KernelInfo],
        ),
        "source": attr.label(
            doc = "The kernel_module_source to build.",
            default = "//kernels:source",
            providers = [KernelModuleSourceInfo],
        ),
        "_build_module": attr.label(default = "//tools/kernels:build_module"),
        "_gate": attr.label(default = "//tools/kernels:gate"),
    } | OBJECTS_ATTRS | ROOT_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
    provides = [KernelModuleInfo],
)
