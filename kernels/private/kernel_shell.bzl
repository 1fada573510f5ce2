"""kernel_shell: an interactive shell in the root that a module is built in."""

load("//roots:defs.bzl", "ROOT_ATTRS", "ROOT_TOOLCHAINS", "root_arguments")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "PythonToolInfo")
load(":kernel_module.bzl", "module_inputs", "module_layers", "module_words")
load(":providers.bzl", "KernelModuleInfo")

def _kernel_shell_impl(ctx):
    info = ctx.attr.module[KernelModuleInfo]
    runtime = ctx.toolchains[PYTHON_TOOLCHAIN].py3_runtime
    layers = module_layers(info.kernel, info.source)
    inputs = module_inputs(info.kernel, info.source, info.deps_symvers)
    words = root_arguments(
        ctx,
        layers,
        inputs,
        info.kernel.release,
        ctx.attr._build_module,
        in_runfiles = True,
    ) + ["--keep", "$FORGE_OUT", "--"] + module_words(info.kernel, info.deps_symvers) + ["--shell"]
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.expand_template(
        template = ctx.file._template,
        output = script,
        substitutions = {
            "{python}": runtime.interpreter.short_path,
            "{run_in_root}": ctx.attr._run_in_root[PythonToolInfo].archive.short_path,
            "{words}": " ".join(['"{}"'.format(word) for word in words]),
            "{workspace}": ctx.workspace_name,
        },
        is_executable = True,
    )
    runfiles = ctx.runfiles(
        files = [
            ctx.attr._build_module[PythonToolInfo].archive,
            ctx.attr._run_in_root[PythonToolInfo].archive,
            runtime.interpreter,
        ] + [archive for archive, _ in layers] + inputs.keys() + ctx.files._programs,
        transitive_files = runtime.files,
    )
    return [DefaultInfo(
        executable = script,
        runfiles = runfiles,
    )]

kernel_shell = rule(
    implementation = _kernel_shell_impl,
    doc = """`bazel run` gives a shell in the root of a kernel_module, with headers and sources in place.

The shell prints the exact commands of the build. Words after `--` are run instead of an
interactive shell; /out is the folder FORGE_OUT, if set.""",
    attrs = {
        "module": attr.label(
            doc = "The kernel_module target.",
            mandatory = True,
            providers = [KernelModuleInfo],
        ),
        "_build_module": attr.label(default = "//tools/kernels:build_module"),
        "_template": attr.label(
            default = "//kernels/private:kernel_shell.sh.template",
            allow_single_file = True,
        ),
    } | ROOT_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
    executable = True,
)
