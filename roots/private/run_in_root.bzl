"""run_in_root: the one way in which a rule runs a command inside a root."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN", "PythonToolInfo", "RUNTIME_ATTRS", "run_python_tool", "runtime_folder")
load(":providers.bzl", "RootInfo")

ROOT_TOOLCHAINS = [PYTHON_TOOLCHAIN]

ROOT_ATTRS = {
    "_run_in_root": attr.label(default = "//tools/roots:run_in_root"),
} | RUNTIME_ATTRS | {
    "_programs": attr.label(default = "@tool_runtime//:root_programs"),
}

def root_layers(target, extras = []):
    """The archives of a root with some of its extras, in the order to unpack.

    Args:
      target: a root_archive target.
      extras: names of extras.

    Returns:
      A list of Files; fails with the names that exist.
    """
    root = target[RootInfo]
    for extra in extras:
        if extra not in root.extras:
            fail("the root '{}' has no extra '{}'; it has: {}. Extras are declared in roots/{}.yaml".format(
                root.name,
                extra,
                ", ".join(sorted(root.extras)) or "none",
                root.name,
            ))
    return [root.archive] + [root.extras[extra] for extra in extras]

def root_arguments(ctx, layers, inputs = {}, release = "", tool = None, in_runfiles = False):
    """The words that say what a root holds; the command's own words come after.

    Args:
      ctx: the rule's context; the rule has ROOT_ATTRS and ROOT_TOOLCHAINS.
      layers: a list of (File, folder in the root) pairs.
      inputs: a dict of File to its place in the root.
      release: what `uname -r` answers.
      tool: a python_tool target to run inside the root, or None.
      in_runfiles: whether the words are for `bazel run`, not for an action.

    Returns:
      A list of strings.
    """

    def path(file):
        return file.short_path if in_runfiles else file.path

    words = ["--runtime", runtime_folder(ctx, in_runfiles)]
    for archive, place in layers:
        words.extend(["--layer", "{}={}".format(path(archive), place)])
    for file, place in inputs.items():
        words.extend(["--input", "{}={}".format(path(file), place)])
    if release:
        words.extend(["--release", release])
    if tool:
        words.extend(["--tool", path(tool[PythonToolInfo].archive)])
    return words

def _resources(_os, _inputs):
    """A root is unpacked in memory: on a machine with many cores, that is what limits how many run at once."""
    return {"cpu": 1, "memory": 600}

def run_in_root(ctx, layers, outputs, command, inputs = {}, release = "", tool = None, **kwargs):
    """Declare an action that runs a command inside a root.

    Args:
      ctx: the rule's context; the rule has ROOT_ATTRS and ROOT_TOOLCHAINS.
      layers: a list of (File, folder in the root) pairs: archives to unpack, in order.
      outputs: a dict of the name that the command leaves in /out to the declared File.
      command: a list of `Args` and strings: the command's words.
      inputs: a dict of File to its place in the root.
      release: what `uname -r` answers.
      tool: a python_tool target that the words are for, or None for a program of the root.
      **kwargs: `mnemonic`, `progress_message` and the like, for ctx.actions.run.
    """
    args = ctx.actions.args()
    args.add_all(root_arguments(ctx, layers, inputs, release, tool))
    for name, file in outputs.items():
        args.add("--output", "{}={}".format(name, file.path))
    args.add("--")
    words = ctx.actions.args()
    words.add_all(command)
    run_python_tool(
        ctx,
        ctx.attr._run_in_root,
        [args, words],
        inputs = depset([archive for archive, _ in layers] + inputs.keys()),
        outputs = outputs.values(),
        tools = depset(([tool[PythonToolInfo].archive] if tool else []) + ctx.files._programs),
        resource_set = _resources,
        **kwargs
    )
