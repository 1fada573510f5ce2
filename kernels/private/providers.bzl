"""Providers of kernels, module sources and modules."""

KernelInfo = provider(
    "A kernel of the catalogue, as its headers.",
    fields = {
        "compile_headers": "File: the same as `headers` without what no object reaches.",
        "compiler": "string: the compiler that the kernel was built with, for example gcc-12.",
        "facts": "File: kernel.json: release, build folder, compiler, configuration, vermagic.",
        "headers": "File: a tar of all that a module is built against, with paths from the root.",
        "release": "string: the kernel release, for example 6.1.0-56-amd64.",
        "root": "Target: the root_archive that has the kernel's compiler.",
        "symvers": "File: the kernel's Module.symvers: exported symbols and their CRCs.",
    },
)

KernelImageInfo = provider(
    "A kernel to boot, with modules of its own.",
    fields = {
        "flavour": "string: the kernel's flavour, for example cloud-amd64; may be empty.",
        "index": "File: JSON of tools/initramfs/image_index.py: the modules in the archive, and what each needs.",
        "line": "string: the kernel's line, for example 6.1.",
        "modules": "File: a cpio archive (newc) of the modules, below /usr/lib/modules/RELEASE.",
        "release": "string: the kernel release, for example 6.1.0-56-amd64.",
        "vmlinux": "File: the kernel, unpacked if QEMU can start it so.",
    },
)

KernelModuleSourceInfo = provider(
    "The source of one or several kernel modules, not yet for any kernel.",
    fields = {
        "archive": "File: a tar of the source tree, to unpack at /build/source.",
        "c_files": "dict of string to File: its C files by their paths in the source; empty if it is built as a whole.",
        "description": "File: JSON of what tools/kernels/source.py reads.",
        "headers": "File: a tar of what an object may need besides its C file; None if it is built as a whole.",
        "kernels": "string: the lines that the source supports, as FIRST..LAST; empty for all.",
        "label": "string: the target, for messages.",
        "modules": "list of string: the modules that it builds, as paths without .ko.",
        "outline": "File: a tar of the source tree with stubs for C files; None if it is built as a whole.",
        "patches": "dict of File to string: each patch and the place where the root has it.",
        "patched_kernels": "list of string: the ranges of kernels that `patches` are for.",
        "plan_required": "bool: whether it is an error that kbuild can't be asked for a plan.",
        "root_extras": "list of string: the extras of the root that its build needs.",
        "whole": "string: why it is built as a whole; empty if its C files have actions of their own.",
    },
)

KernelModuleInfo = provider(
    "The modules of one source for one kernel, past the gate.",
    fields = {
        "compile_commands": "File: compile_commands.json for editors.",
        "debug": "list of File: the debug data of each module.",
        "deps_symvers": "list of File: the Module.symvers of the modules that they depend on.",
        "kernel": "KernelInfo: what they were built for.",
        "log": "File: the build log.",
        "modinfo": "File: modinfo.json.",
        "modules": "list of File: the modules, without debug data.",
        "source": "KernelModuleSourceInfo: what they were built from.",
        "symvers": "File: the modules' own Module.symvers, for modules that depend on them.",
    },
)
