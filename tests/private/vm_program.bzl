"""What a VM test and its interactive driver are made of: the plan for tools/vm, and how its root is started."""

load("//roots:defs.bzl", "ROOT_ATTRS", "RootInfo", "root_layers")
load("//tools/python:defs.bzl", "PythonToolInfo", "runtime_folder")
load(":providers.bzl", "VmMachineInfo")
load(":tool_program.bzl", "TOOL_PROGRAM_ATTRS", "tool_program")

_PLAN = "/forge/vm/plan.json"
_SCRIPTS = "/forge/vm/scripts"

VM_PROGRAM_ATTRS = {
    "env": attr.string_dict(
        doc = "Variables of the driver's environment; besides these it gets VM_ACCEL, VM_SEED, QEMU_NET_OPTS and TEST_TIMEOUT as they are.",
    ),
    "facts": attr.string_dict(
        doc = "What is to be known of the test, for its result.json.",
    ),
    "machines": attr.label_list(
        doc = "The vm_machine targets.",
        mandatory = True,
        providers = [VmMachineInfo],
    ),
    "script": attr.label(
        doc = "The script.",
        allow_single_file = [".py"],
    ),
    "srcs": attr.label_list(
        doc = "Python files that the script imports by their paths in the workspace: `from tests.kernels import traffic`.",
        allow_files = [".py"],
    ),
    "_driver": attr.label(
        default = "//tools/vm:driver",
        providers = [PythonToolInfo],
    ),
    "_launch": attr.label(
        default = "//tools/vm_test:launch",
        providers = [PythonToolInfo],
    ),
    "_root": attr.label(
        default = "//roots:qemu",
        providers = [RootInfo],
    ),
} | ROOT_ATTRS | TOOL_PROGRAM_ATTRS

def _machine_plan(machine, place):
    """A machine as the driver's plan describes it; `place` gives the place in the root of a File."""
    image = machine.image
    return {
        "cmdline": machine.cmdline,
        "cpus": machine.cpus,
        "flavour": image.flavour,
        "initrd": [place(file) for file in machine.initrd],
        "line": image.line,
        "memory": machine.memory,
        "modules": machine.modules,
        "name": machine.name,
        "networks": machine.networks,
        "release": image.release,
        "vmlinux": place(image.vmlinux),
    }

def vm_program(ctx, words = [], timeout = None, network = False):
    """Declare the files of a program that runs the driver in its root.

    Args:
      ctx: the context of a rule that has VM_PROGRAM_ATTRS and ROOT_TOOLCHAINS.
      words: further arguments of the driver.
      timeout: the plan's own time-out in seconds, or None.
      network: whether the driver's root has the host's network.

    Returns:
      A DefaultInfo with the executable.
    """
    inputs = {}

    def place(file):
        # Two machines may share a file, and files of two may have one name.
        if file not in inputs:
            inputs[file] = "/forge/vm/{}.{}".format(len(inputs), file.basename)
        return inputs[file]

    plan = ctx.actions.declare_file(ctx.label.name + ".plan.json")
    script = None
    if ctx.file.script:
        script = {
            "display": ctx.file.script.short_path,
            "path": "{}/{}".format(_SCRIPTS, ctx.file.script.short_path),
            "root": _SCRIPTS,
        }
    ctx.actions.write(plan, json.encode_indent({
        "facts": ctx.attr.facts,
        "machines": [_machine_plan(target[VmMachineInfo], place) for target in ctx.attr.machines],
        "name": str(ctx.label).removeprefix("@@").removeprefix("@"),
        "script": script,
        "timeout": timeout,
    }))
    inputs[plan] = _PLAN
    for file in ctx.files.srcs + ([ctx.file.script] if script else []):
        inputs[file] = "{}/{}".format(_SCRIPTS, file.short_path)
    layers = root_layers(ctx.attr._root)
    driver = ctx.attr._driver[PythonToolInfo].archive
    settings = ctx.actions.declare_file(ctx.label.name + ".launch.json")
    ctx.actions.write(settings, json.encode_indent({
        "driver": driver.short_path,
        "environment": ctx.attr.env,
        "inputs": {file.short_path: inputs[file] for file in inputs},
        "layers": [file.short_path for file in layers],
        "network": network,
        "runtime": runtime_folder(ctx, in_runfiles = True),
        "words": ["--plan", _PLAN] + words,
    }))
    return tool_program(
        ctx,
        ctx.attr._launch,
        settings,
        ctx.runfiles(files = [driver] + layers + inputs.keys() + ctx.files._programs),
    )
