"""files_layer: files of the source tree or of the build as a layer."""

load("//tools/python:defs.bzl", "PYTHON_TOOLCHAIN")
load(":layer_files.bzl", "LAYER_ATTRS", "declare_layer", "layer_arguments", "layer_label", "make_layer")
load(":providers.bzl", "ComponentsInfo", "LayersInfo")

def _places(ctx, targets, what):
    """(File, path in the container) pairs; a path that ends in "/" is a folder for the files' own names."""
    places = []
    for target, place in targets.items():
        files = target.files.to_list()
        if not place.startswith("/"):
            fail("{}: {}: '{}' is no absolute path; expected one like /etc/app.conf, or /etc/ for a folder".format(ctx.label, what, place))
        if len(files) != 1 and not place.endswith("/"):
            fail("{}: {}: {} is {} files; give a folder for them: '{}/'".format(ctx.label, what, target.label, len(files), place))
        for file in files:
            if file.is_directory:
                fail("{}: {}: {} is a folder of unknown files; name files".format(ctx.label, what, target.label))
            places.append((file, place + file.basename if place.endswith("/") else place))
    return places

def _check_modes(ctx):
    for path, mode in ctx.attr.modes.items():
        if len(mode) not in [3, 4] or [digit for digit in mode.elems() if digit not in "01234567"]:
            fail("{}: modes: {}: '{}' is no mode; expected three or four octal digits, such as 0755".format(ctx.label, path, mode))

def _sources(ctx, files, templates):
    """LayersInfo.sources of the layer's files."""
    return [
        struct(
            file = file,
            mode = ctx.attr.modes.get(place, ""),
            mountable = is_file and file.is_source and not file.owner.workspace_name,
            place = place,
        )
        for is_file, pairs in [(True, files), (False, templates)]
        for file, place in pairs
    ]

def _files_layer_impl(ctx):
    _check_modes(ctx)
    files = _places(ctx, ctx.attr.files, "files")
    templates = _places(ctx, ctx.attr.templates, "templates")
    if not (files or templates or ctx.attr.directories or ctx.attr.symlinks):
        fail("{}: the layer is empty; give at least one of: directories, files, symlinks, templates".format(ctx.label))
    plan = ctx.actions.declare_file(ctx.label.name + ".plan.json")
    ctx.actions.write(plan, json.encode_indent({
        "directories": ctx.attr.directories,
        "files": [[file.path, place] for file, place in files],
        "modes": ctx.attr.modes,
        "owners": ctx.attr.owners,
        "substitutions": ctx.attr.substitutions,
        "symlinks": ctx.attr.symlinks,
        "templates": [[file.path, place] for file, place in templates],
    }))
    layer = declare_layer(ctx, ctx.label.name, layer_label(ctx))
    args = layer_arguments(ctx, layer)
    args.add("--plan", plan)
    inputs = [plan] + [file for file, _ in files + templates]
    if ctx.attr.accounts:
        accounts = ctx.attr.accounts[LayersInfo].accounts
        if not accounts:
            fail("{}: accounts: {} makes no users; name a package_layer".format(ctx.label, ctx.attr.accounts.label))
        args.add("--accounts", accounts)
        inputs.append(accounts)
    args.add_all([path.lstrip("/") for path in ctx.attr.overrides], before_each = "--override")
    component_files = depset(transitive = [
        target[ComponentsInfo].component_files
        for target in ctx.attr.files
        if ComponentsInfo in target
    ])
    return make_layer(ctx, layer, [args], inputs, "FilesLayer", _sources(ctx, files, templates), component_files)

files_layer = rule(
    implementation = _files_layer_impl,
    doc = """A layer of files, folders and symbolic links, the same bytes each time.

Files have mode 0644, folders 0755, unless `modes` says something else, and belong to root, unless `owners` does: the
mode that a file has on the machine doesn't count. Folders above a file aren't in the layer, so they stay as the layers
below have them, or belong to root with 0755.""",
    attrs = {
        "accounts": attr.label(
            doc = "The package_layer whose users and groups `owners` may name. Without it there is only root.",
            providers = [LayersInfo],
        ),
        "directories": attr.string_list(
            doc = "Folders, as absolute paths.",
        ),
        "files": attr.label_keyed_string_dict(
            doc = "Files to their absolute paths. A path that ends in a slash is a folder that gets all the target's files under their names.",
            allow_files = True,
        ),
        "modes": attr.string_dict(
            doc = "The modes of files and folders of this layer, as octal digits by absolute path.",
        ),
        "overrides": attr.string_list(
            doc = "Shell patterns of absolute paths at which this layer may replace what layers below have; elsewhere that is an error.",
        ),
        "owners": attr.string_dict(
            doc = "The owners of what is in this layer, by absolute path: USER, USER:GROUP or :GROUP, each a name or a number.",
        ),
        "substitutions": attr.string_dict(
            doc = "For `templates`: NAME to the text that replaces @NAME@.",
        ),
        "symlinks": attr.string_dict(
            doc = "Symbolic links: absolute path to what the link says.",
        ),
        "templates": attr.label_keyed_string_dict(
            doc = "As `files`, with each @NAME@ (capitals, digits and underscores) replaced by what `substitutions` has for it.",
            allow_files = True,
        ),
        "_tool": attr.label(default = "//tools/containers:files_layer"),
    } | LAYER_ATTRS,
    toolchains = [PYTHON_TOOLCHAIN],
    provides = [LayersInfo],
)
