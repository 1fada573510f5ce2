"""initramfs: what every machine of a VM test boots into: the programs of a root, and /init."""

load("//roots:defs.bzl", "ROOT_ATTRS", "ROOT_TOOLCHAINS", "RootInfo", "root_layers", "run_in_root")
load(":providers.bzl", "InitramfsInfo")

_INIT = "/forge/init"

def _initramfs_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".cpio")
    run_in_root(
        ctx,
        layers = [(archive, "/") for archive in root_layers(ctx.attr.root, ctx.attr.extras)],
        outputs = {"initramfs.cpio": output},
        command = ["--init", _INIT, "--output", "/out/initramfs.cpio"],
        inputs = {ctx.file.init: _INIT},
        tool = ctx.attr._tool,
        mnemonic = "Initramfs",
        progress_message = "Making initramfs %{label}",
    )
    return [
        DefaultInfo(files = depset([output])),
        InitramfsInfo(archive = output),
    ]

initramfs = rule(
    implementation = _initramfs_impl,
    doc = """A cpio archive of a root and of /init, the same bytes each time.

The root has busybox; every applet gets a link, unless the root has a program of that name.""",
    attrs = {
        "extras": attr.string_list(
            doc = "Extras of the root that the guest has, too.",
        ),
        "init": attr.label(
            doc = "The program that the kernel starts.",
            default = "//tools/vm:guest/init",
            allow_single_file = True,
        ),
        "root": attr.label(
            doc = "The root_archive with the guest's programs.",
            default = "//roots:guest",
            providers = [RootInfo],
        ),
        "_tool": attr.label(default = "//tools/initramfs:userland"),
    } | ROOT_ATTRS,
    toolchains = ROOT_TOOLCHAINS,
    provides = [InitramfsInfo],
)
