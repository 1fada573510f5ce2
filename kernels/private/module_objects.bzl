"""Objects: the plan of a source for one kernel, and an action for each of its C files."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//roots:defs.bzl", "RootInfo", "root_layers", "run_in_root")
load("//tools/python:defs.bzl", "run_python_tool", "runtime_folder")
load(":lines.bzl", "supports")

OBJECTS_ATTRS = {
    "_compile_object": attr.label(default = "//tools/kernels:compile_object"),
    "_objects_from": attr.label(default = "//kernels:objects_from"),
    "_patch_source": attr.label(default = "//tools/kernels:patch_source"),
    "_plan_module": attr.label(default = "//tools/kernels:plan_module"),
}

# Bazel keeps a process for these actions, where it runs them on this machine, with the roots unpacked.
_REQUIREMENTS = {
    "requires-worker-protocol": "json",
    "supports-workers": "1",
}

def why_whole(ctx, source):
    """Why a source is built by one action, for its build log.

    Args:
      ctx: the context of a rule that has OBJECTS_ATTRS.
      source: a KernelModuleSourceInfo.

    Returns:
      A string, empty if each C file of the source is compiled in an action of its own.
    """
    if source.whole:
        return source.whole

    # Without the flag's value, which is no reason to build it again.
    if not source.plan_required and len(source.c_files) < ctx.attr._objects_from[BuildSettingInfo].value:
        return "--//kernels:objects_from asks for more than its {} C files".format(len(source.c_files))
    return ""

def _parts(ctx, kernel, source):
    """What plan and objects depend on: the source's, or for a kernel that has patches, an action's that applies them.

    Returns:
      A struct: outline, headers, c_files, as KernelModuleSourceInfo has them.
    """
    if not [kernels for kernels in source.patched_kernels if supports(kernels, kernel.release)]:
        return source
    folder = ctx.label.name + ".patched"
    outline = ctx.actions.declare_file(folder + "/outline.tar")
    headers = ctx.actions.declare_file(folder + "/headers.tar")
    c_files = {name: ctx.actions.declare_file("{}/files/{}".format(folder, name)) for name in source.c_files}
    outputs = {str(number): file for number, file in enumerate(c_files.values())}
    run_in_root(
        ctx,
        layers = [(archive, "/") for archive in root_layers(kernel.root)] + [(source.archive, "/build/source")],
        outputs = outputs | {"headers.tar": headers, "outline.tar": outline},
        command = ["--kernel", "/forge/kernel.json", "--source", "/forge/source.json"] + c_files.keys(),
        inputs = {kernel.facts: "/forge/kernel.json", source.description: "/forge/source.json"} | source.patches,
        release = kernel.release,
        tool = ctx.attr._patch_source,
        mnemonic = "KernelModulePatch",
        progress_message = "Patching {} for kernel {}".format(source.label, kernel.release),
    )
    return struct(outline = outline, headers = headers, c_files = c_files)

def _plan(ctx, kernel, source, parts):
    """The action that asks kbuild; returns the plan of each C file's object, what was generated, and the summary."""
    folder = ctx.label.name + ".plan"
    plans = {name: ctx.actions.declare_file("{}/{}.json".format(folder, name)) for name in parts.c_files}
    generated = ctx.actions.declare_file(folder + "/generated.tar")
    summary = ctx.actions.declare_file(folder + "/plan.json")
    outputs = {str(number): plan for number, plan in enumerate(plans.values())}
    layers = [(archive, "/") for archive in root_layers(kernel.root, source.root_extras)]
    run_in_root(
        ctx,
        layers = layers + [(kernel.headers, "/"), (parts.outline, "/build/source")],
        outputs = outputs | {"generated.tar": generated, "plan.json": summary},
        command = ["--kernel", "/forge/kernel.json", "--source", "/forge/source.json", "--compiler", kernel.compiler] +
                  (["--required"] if source.plan_required else []) + plans.keys(),
        inputs = {kernel.facts: "/forge/kernel.json", source.description: "/forge/source.json"},
        release = kernel.release,
        tool = ctx.attr._plan_module,
        mnemonic = "KernelModulePlan",
        progress_message = "Planning {} for kernel {}".format(source.label, kernel.release),
    )
    return plans, generated, summary

def _compile(ctx, kernel, source, parts, name, plan, generated):
    """The action that makes the object of one C file; returns a tar of what it made."""
    output = ctx.actions.declare_file("{}.objects/{}.tar".format(ctx.label.name, name))
    layers = [kernel.root[RootInfo].compile, kernel.compile_headers]
    start = ctx.actions.args()
    start.add("--runtime", runtime_folder(ctx))
    args = ctx.actions.args()
    args.add_all(layers, before_each = "--layer")
    args.add_all([parts.headers, generated], before_each = "--tree")
    args.add("--plan", plan)
    args.add("--c-file", parts.c_files[name], format = name.replace("%", "%%") + "=%s")
    args.add("--label", source.label)
    args.add("--release", kernel.release)
    args.add("--output", output)
    args.use_param_file("@%s", use_always = True).set_param_file_format("multiline")
    run_python_tool(
        ctx,
        ctx.attr._compile_object,
        [start, args],
        inputs = depset(layers + [parts.headers, generated, plan, parts.c_files[name]]),
        outputs = [output],
        tools = depset(ctx.files._programs),
        execution_requirements = _REQUIREMENTS,
        mnemonic = "KernelObject",
        progress_message = "Compiling {} of {} for kernel {}".format(name, source.label, kernel.release),
    )
    return output

def module_objects(ctx, kernel, source):
    """Declare the plan of a source for a kernel and the objects of its C files.

    Args:
      ctx: the context of a rule that has OBJECTS_ATTRS, ROOT_ATTRS and ROOT_TOOLCHAINS.
      kernel: a KernelInfo.
      source: a KernelModuleSourceInfo that isn't built as a whole.

    Returns:
      A dict of File to its place in the root of the link: the objects, what was generated, and plan.json.
    """
    parts = _parts(ctx, kernel, source)
    plans, generated, summary = _plan(ctx, kernel, source, parts)
    places = {generated: "/forge/objects/generated.tar", summary: "/forge/objects/plan.json"}
    for number, (name, plan) in enumerate(plans.items()):
        places[_compile(ctx, kernel, source, parts, name, plan, generated)] = "/forge/objects/{}.tar".format(number)
    return places
