"""module_layer: kernel modules of many kernels."""

load("//kernels:defs.bzl", "KernelModuleInfo")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN")
load(":layer_files.bzl", "LAYER_ATTRS", "placed_files_layer")
load(":providers.bzl", "LayersInfo")

def _module_layer_impl(ctx):
    if not ctx.attr.modules:
        fail("{}: `modules` is empty; name targets of kernel_module, such as //kernels:RELEASE".format(ctx.label))
    places = {}
    for target in ctx.attr.modules:
        info = target[KernelModuleInfo]
        for module in info.modules:
            place = "/usr/lib/modules/{}/updates/{}".format(info.kernel.release, module.basename)
            if place in places:
                fail("{}: modules: {} and another target both have {}; keep one".format(ctx.label, target.label, place))
            places[place] = module
    return placed_files_layer(ctx, places, "ModuleLayer")

module_layer = rule(
    implementation = _module_layer_impl,
    doc = """The modules of chosen kernels: /usr/lib/modules/RELEASE/updates/NAME.ko, which is below /lib/modules where /usr is merged.

There is no index of depmod: an image knows only these modules of a kernel, and insmod loads them.""",
    attrs = {
        "modules": attr.label_list(
            doc = "The kernel_module targets, one for each kernel, such as those of //kernels.",
            providers = [KernelModuleInfo],
        ),
        "_tool": attr.label(default = "//tools/containers:files_layer"),
    } | LAYER_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo],
)
