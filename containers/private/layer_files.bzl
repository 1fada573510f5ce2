"""layer_files: what every rule that makes a layer has in common."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//tools/python:defs.bzl", "RUNTIME_ATTRS", "run_python_tool", "runtime_folder")
load(":providers.bzl", "LayerInfo", "LayersInfo")

LAYER_ATTRS = {
    "_compression": attr.label(
        default = "//containers:compression",
        providers = [BuildSettingInfo],
    ),
    "_zstd": attr.label(default = "@tool_runtime//:zstd"),
} | RUNTIME_ATTRS

_SUFFIXES = {"gzip": ".tar.gz", "zstd": ".tar.zst"}

def declare_layer(ctx, file_name, name):
    """Declare the files of a layer.

    Args:
      ctx: the context of a rule that has LAYER_ATTRS.
      file_name: what the files are called, without a suffix.
      name: what messages and reports call the layer.

    Returns:
      A LayerInfo; fails with the valid choices if the compression isn't one.
    """
    compression = ctx.attr._compression[BuildSettingInfo].value
    if compression not in _SUFFIXES:
        fail("//containers:compression: unknown compression '{}'; choose one of: {}".format(compression, ", ".join(_SUFFIXES)))
    return LayerInfo(
        name = name,
        blob = ctx.actions.declare_file(file_name + _SUFFIXES[compression]),
        contents = ctx.actions.declare_file(file_name + ".contents.json"),
        metadata = ctx.actions.declare_file(file_name + ".layer.json"),
    )

def layer_arguments(ctx, layer):
    """The words by which a tool knows what to write.

    Args:
      ctx: the context of a rule that has LAYER_ATTRS.
      layer: what `declare_layer` returned.

    Returns:
      Args.
    """
    args = ctx.actions.args()
    args.add("--name", layer.name)
    args.add("--blob", layer.blob)
    args.add("--metadata", layer.metadata)
    args.add("--contents", layer.contents)
    args.add("--compression", ctx.attr._compression[BuildSettingInfo].value)
    args.add("--runtime", runtime_folder(ctx))
    return args

def layer_outputs(layer):
    """The outputs of the action that makes a layer.

    Args:
      layer: a LayerInfo.

    Returns:
      A list of Files.
    """
    return [layer.blob, layer.metadata, layer.contents]

def make_layer(ctx, layer, arguments, inputs, mnemonic, sources = [], component_files = None):
    """Declare the action that makes the one layer of a rule, and what the rule returns.

    Args:
      ctx: the context of a rule that has LAYER_ATTRS, and the tool as _tool.
      layer: what `declare_layer` returned.
      arguments: a list of Args.
      inputs: a list of Files.
      mnemonic: the action's.
      sources: LayersInfo.sources.
      component_files: LayersInfo.component_files.

    Returns:
      A list of providers.
    """
    run_python_tool(
        ctx,
        ctx.attr._tool,
        arguments,
        inputs = depset(inputs),
        outputs = layer_outputs(layer),
        tools = depset(ctx.files._zstd),
        mnemonic = mnemonic,
        progress_message = "Making layer %{label}",
    )
    return [
        DefaultInfo(files = depset(layer_outputs(layer))),
        LayersInfo(
            accounts = None,
            component_files = component_files or depset(),
            components = depset(),
            layers = [layer],
            sources = sources,
        ),
    ]

def placed_files_layer(ctx, places, mnemonic):
    """Declare the action that makes a layer of files at given places, which belong to root and have mode 0644.

    Args:
      ctx: the context of a rule that has LAYER_ATTRS and, as `_tool`, //tools/containers:files_layer.
      places: a dict from absolute path in the container to File.
      mnemonic: the action's.

    Returns:
      A list of providers.
    """
    plan = ctx.actions.declare_file(ctx.label.name + ".plan.json")
    ctx.actions.write(plan, json.encode_indent({"files": [[file.path, place] for place, file in places.items()]}))
    layer = declare_layer(ctx, ctx.label.name, layer_label(ctx))
    args = layer_arguments(ctx, layer)
    args.add("--plan", plan)
    return make_layer(ctx, layer, [args], [plan] + places.values(), mnemonic)

def layer_label(ctx):
    """What messages call the layer of a target: its label without the workspace.

    Args:
      ctx: the rule's context.

    Returns:
      A string.
    """
    return "//{}:{}".format(ctx.label.package, ctx.label.name)
