"""kernel_image: a kernel to boot in a virtual machine, out of its own image packages."""

load("//roots:defs.bzl", "ROOT_ATTRS", "ROOT_TOOLCHAINS", "RootInfo", "root_layers", "run_in_root")
load("//tools/python:defs.bzl", "run_python_tool", "runtime_folder")
load(":providers.bzl", "KernelImageInfo")

# The modules of the kernel's own that every image has, with all that they need.
IMAGE_MODULES = [
    "dummy",
    "ip6_udp_tunnel",
    "macvlan",
    "tun",
    "udp_tunnel",
    "veth",
    "virtio_console",
    "virtio_net",
    "virtio_pci",
    "vrf",
    "vxlan",
]

def _kernel_image_impl(ctx):
    release = ctx.attr.release
    outputs = {
        name: ctx.actions.declare_file("{}/{}".format(ctx.label.name, name))
        for name in ["modules.cpio", "modules.json", "vmlinuz"]
    }
    packages = {file: "/forge/packages/{}.deb".format(index) for index, file in enumerate(ctx.files.packages)}
    words = ["--release", release]
    for module in ctx.attr.modules:
        words.extend(["--module", module])
    run_in_root(
        ctx,
        layers = [(archive, "/") for archive in root_layers(ctx.attr._root, ["depmod"])],
        outputs = outputs,
        command = words + packages.values(),
        inputs = packages,
        tool = ctx.attr._tool,
        mnemonic = "KernelImage",
        progress_message = "Taking kernel {} out of its packages".format(release),
    )
    vmlinux = ctx.actions.declare_file("{}/vmlinux".format(ctx.label.name))
    args = ctx.actions.args()
    args.add("--runtime", runtime_folder(ctx))
    args.add_all([outputs["vmlinuz"], vmlinux])
    run_python_tool(
        ctx,
        ctx.attr._vmlinux,
        [args],
        inputs = depset([outputs["vmlinuz"]]),
        outputs = [vmlinux],
        tools = depset(ctx.files._zstd),
        mnemonic = "Vmlinux",
        progress_message = "Unpacking kernel {}".format(release),
    )
    return [
        DefaultInfo(files = depset(outputs.values() + [vmlinux])),
        KernelImageInfo(
            flavour = ctx.attr.flavour,
            index = outputs["modules.json"],
            line = ctx.attr.line,
            modules = outputs["modules.cpio"],
            release = release,
            vmlinux = vmlinux,
        ),
    ]

kernel_image = rule(
    implementation = _kernel_image_impl,
    doc = """A kernel to boot, and an archive of some of its modules, out of its image packages (.deb).

Outputs, in a folder named after the target: vmlinuz; vmlinux, the same unpacked; modules.cpio, with the wanted modules, all
that they need and what depmod makes of them; modules.json, which says what each needs.""",
    attrs = {
        "flavour": attr.string(
            doc = "The kernel's flavour, for example cloud-amd64; empty if it has none.",
        ),
        "line": attr.string(
            doc = "The kernel's line, for example 6.1.",
            mandatory = True,
        ),
        "modules": attr.string_list(
            doc = "The names of the modules to take, besides those that they need.",
            default = IMAGE_MODULES,
        ),
        "packages": attr.label_list(
            doc = "The packages with the kernel and its modules.",
            mandatory = True,
            allow_files = [".deb"],
        ),
        "release": attr.string(
            doc = "The kernel release, as `uname -r` prints it.",
            mandatory = True,
        ),
        "_root": attr.label(
            default = "//roots:guest",
            providers = [RootInfo],
        ),
        "_tool": attr.label(default = "//tools/kernels:kernel_image"),
        "_vmlinux": attr.label(default = "//tools/vm:vmlinux"),
        "_zstd": attr.label(default = "@tool_runtime//:zstd"),
    } | ROOT_ATTRS | {
        # The tool takes packages apart.
        "_programs": attr.label(default = "@tool_runtime//:programs"),
    },
    toolchains = ROOT_TOOLCHAINS,
    provides = [KernelImageInfo],
)
