"""vm_machine: one virtual machine: its kernel, and all that is in its initramfs."""

load("//kernels:defs.bzl", "KernelImageInfo", "KernelModuleInfo")
load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "run_python_tool")
load(":providers.bzl", "InitramfsInfo", "VmMachineInfo")

# What a guest needs to be spoken to (tools/vm/guest/init), and for its Ethernet devices.
_BASE_MODULES = ["virtio_pci", "virtio_console"]
_NETWORK_MODULES = ["virtio_net"]

def _plain(label):
    """A label as a person writes it."""
    return str(label).removeprefix("@@").removeprefix("@")

def _modules(ctx, image):
    """The .ko files under test, by name; fails for one of another kernel and for two of one name."""
    files = {}
    for target in ctx.attr.modules:
        found = target.files.to_list()
        if KernelModuleInfo in target:
            info = target[KernelModuleInfo]
            found = info.modules
            if info.kernel.release != image.release:
                fail("{}: the modules of {} are for kernel {}, and the machine '{}' has kernel {}; '{{release}}' in `modules` stands for the machine's".format(
                    ctx.label,
                    _plain(target.label),
                    info.kernel.release,
                    ctx.attr.machine,
                    image.release,
                ))
        for file in found:
            if file.extension != "ko":
                fail("{}: `modules` names {}, which is no .ko; other files belong into `files`".format(ctx.label, file.short_path))
            if file.basename in files:
                fail("{}: `modules` has two files {}: {} and {}; give one of them another name".format(
                    ctx.label,
                    file.basename,
                    files[file.basename].short_path,
                    file.short_path,
                ))
            files[file.basename] = file
    return files

def _vm_machine_impl(ctx):
    image = ctx.attr.image[KernelImageInfo]
    modules = _modules(ctx, image)
    additions = ctx.actions.declare_file(ctx.label.name + ".cpio")
    args = ctx.actions.args()
    args.add("--index", image.index)
    args.add("--output", additions)
    loaded = _BASE_MODULES + (_NETWORK_MODULES if ctx.attr.networks else []) + ctx.attr.kernel_modules
    args.add_all(loaded, before_each = "--load")
    args.add_all(modules.values(), before_each = "--module")
    files = []
    for target, place in ctx.attr.files.items():
        found = target.files.to_list()
        if len(found) != 1:
            fail("{}: `files` has a place for {}, which is {} files; name each by itself".format(ctx.label, _plain(target.label), len(found)))
        args.add("--file", "{}={}".format(found[0].path, place))
        files.append(found[0])
    run_python_tool(
        ctx,
        ctx.attr._tool,
        [args],
        inputs = depset([image.index] + modules.values() + files),
        outputs = [additions],
        mnemonic = "VmMachine",
        progress_message = "Packing what machine %{label} has of its own",
    )
    return [
        DefaultInfo(files = depset([additions])),
        VmMachineInfo(
            name = ctx.attr.machine,
            cmdline = ctx.attr.cmdline,
            cpus = ctx.attr.cpus,
            image = image,
            initrd = [ctx.attr.initramfs[InitramfsInfo].archive, image.modules, additions],
            memory = ctx.attr.memory,
            modules = modules.keys(),
            networks = ctx.attr.networks,
        ),
    ]

vm_machine = rule(
    implementation = _vm_machine_impl,
    doc = "One virtual machine of a vm_test; the macro declares one for each.",
    attrs = {
        "cmdline": attr.string(
            doc = "Words to add to the kernel's command line.",
        ),
        "cpus": attr.int(
            doc = "The number of processors.",
            default = 1,
        ),
        "files": attr.label_keyed_string_dict(
            doc = "Files to their places in the guest, where all are executable.",
            allow_files = True,
        ),
        "image": attr.label(
            doc = "The kernel_image to boot.",
            mandatory = True,
            providers = [KernelImageInfo],
        ),
        "initramfs": attr.label(
            doc = "The initramfs that the rest is added to.",
            mandatory = True,
            providers = [InitramfsInfo],
        ),
        "kernel_modules": attr.string_list(
            doc = "Modules of the kernel's own to load at start, with all that they need.",
        ),
        "machine": attr.string(
            doc = "The machine's name.",
            mandatory = True,
        ),
        "memory": attr.int(
            doc = "Its memory in MiB.",
            default = 256,
        ),
        "modules": attr.label_list(
            doc = "kernel_module targets or .ko files for /modules.",
            allow_files = True,
        ),
        "networks": attr.string_list(
            doc = "The networks that it has a device in.",
        ),
        "_tool": attr.label(default = "//tools/initramfs:additions"),
    },
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [VmMachineInfo],
)
